"""The $(VAR) references of command, args and env values.

Rules (Kubernetes, "Define dependent environment variables"): $(NAME) is replaced when NAME is
known and stays as written otherwise; $$ is a literal $, so $$(NAME) is never expanded.

Each reference may double what there is, so results are bounded by what Linux starts a program
with (MAX_ARG_STRLEN and three quarters of _STK_LIM, execve(2)).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pilotfish.node.errors import ContainerConfigError

_MAX_CHARS: Final = 128 * 1024
MAX_TOTAL_CHARS: Final = 6 * 1024 * 1024


def expand(text: str, values: Mapping[str, str]) -> str:
    """The text with its references replaced.

    Raises:
        ContainerConfigError: it is longer than any argument or variable may be.
    """
    parts: list[str] = []
    size = at = 0
    while at < len(text):
        dollar = text.find("$", at)
        if dollar < 0:
            dollar = len(text)
        end, found = _reference(text, dollar, values)
        parts += (text[at:dollar], found)
        size += dollar - at + len(found)
        if size > _MAX_CHARS:
            start = text if len(text) <= 40 else f"{text[:40]}…"
            raise ContainerConfigError(
                f"{start!r} expands to more than {_MAX_CHARS} characters, which no program can get"
            )
        at = end
    return "".join(parts)


def _reference(text: str, dollar: int, values: Mapping[str, str]) -> tuple[int, str]:
    """Where a reference ends, and what it stands for; "" at the end of the text."""
    following = text[dollar + 1 : dollar + 2]
    if following == "$":
        return dollar + 2, "$"
    if following != "(":
        return dollar + 1, text[dollar : dollar + 1]
    end = text.find(")", dollar)
    if end < 0:
        # No reference ends from here on, so that $$ is all that is left to find.
        return len(text), text[dollar : dollar + 2] + text[dollar + 2 :].replace("$$", "$")
    return end + 1, values.get(text[dollar + 2 : end], text[dollar : end + 1])


def expand_all(texts: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """The texts with their references replaced.

    Raises:
        ContainerConfigError: one, or all of them together, are longer than a program can get.
    """
    expanded: list[str] = []
    total = 0
    for text in texts:
        expanded.append(expand(text, values))
        total += len(expanded[-1])
        if total > MAX_TOTAL_CHARS:
            raise ContainerConfigError(
                f"command and args expand to more than {MAX_TOTAL_CHARS} characters, which no "
                "program can get"
            )
    return expanded
