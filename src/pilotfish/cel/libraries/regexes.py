"""What a regular expression finds in a string (Kubernetes' regex library)."""

from __future__ import annotations

from typing import Final

from pilotfish.cel import regex
from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.types import INT, STRING, STRINGS


def _find(text: str, pattern: str) -> str:
    return next(iter(_find_all(text, pattern, 1)), "")


def _find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    try:
        return regex.found(pattern, text, most)
    except regex.RegexError as error:
        raise EvaluationError(str(error)) from error


FUNCTIONS: Final = (
    Function(
        "find",
        "the first match of a regular expression, or an empty string",
        (Overload((STRING, STRING), STRING, _find),),
        is_global=False,
        is_method=True,
    ),
    Function(
        "findAll",
        "the matches of a regular expression, all or so many",
        (
            Overload((STRING, STRING), STRINGS, _find_all),
            Overload((STRING, STRING, INT), STRINGS, _find_all),
        ),
        is_global=False,
        is_method=True,
    ),
)
