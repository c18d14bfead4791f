"""Semantic versions: `semver("1.2.3")` (Kubernetes' semver library, 1.33).

The syntax and order are those of https://semver.org, version 2.0.0: build metadata counts for
nothing when two versions are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from pilotfish.cel.errors import EvaluationError
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.types import BOOL, INT, STRING, Type
from pilotfish.cel.values import MAX_INT, MAX_UINT, TypeName

SEMVER: Final = Type("kubernetes.Semver")
_DIGITS: Final = frozenset("0123456789")
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") | _DIGITS

# A part of a pre-release: numbers come before words (semver.org, 11.4).
_Part = tuple[int, int, str]


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version, in the order of semver.org, 11.

    Attributes:
        major, minor, patch: its numbers.
        is_release: whether there is no pre-release; a pre-release comes before its release.
        pre_release: the parts of the pre-release.
        text: as it was written.
    """

    cel_type: ClassVar = TypeName(SEMVER.name)

    major: int
    minor: int
    patch: int
    is_release: bool
    pre_release: tuple[_Part, ...]
    text: str = field(compare=False)


def parse_version(text: str) -> Version:
    """Read a version.

    Raises:
        EvaluationError: it is none.
    """
    if not text:
        raise EvaluationError("Version string empty")
    rest, plus, build = text.partition("+")
    core, dash, pre_release = rest.partition("-")
    numbers = core.split(".")
    if len(numbers) != 3:
        raise EvaluationError("No Major.Minor.Patch elements found")
    if plus:
        for part in build.split("."):
            _check_word(part, "Build meta data")
    parts = tuple(map(_part, pre_release.split("."))) if dash else ()
    major, minor, patch = map(_number, numbers)
    return Version(major, minor, patch, not parts, parts, text)


def _number(text: str) -> int:
    if not text or not _DIGITS.issuperset(text):
        raise EvaluationError(f'Invalid character(s) found in version number "{text}"')
    if len(text) > 1 and text[0] == "0":
        raise EvaluationError(f'Version number must not contain leading zeroes "{text}"')
    # Python refuses to read thousands of digits.
    if len(text) > 20 or int(text) > MAX_UINT:
        raise EvaluationError(f'version number "{text[:40]}" is out of range')
    return int(text)


def _part(text: str) -> _Part:
    _check_word(text, "Prerelease")
    return (0, _number(text), "") if _DIGITS.issuperset(text) else (1, 0, text)


def _check_word(text: str, what: str) -> None:
    if not text:
        raise EvaluationError(f"{what} is empty")
    if not _LETTERS.issuperset(text):
        raise EvaluationError(f'Invalid character(s) found in {what.lower()} "{text}"')


def _normalized(text: str, normalizes: bool) -> Version:
    """Read a version that may begin with "v", be short, and have leading zeros."""
    if not normalizes:
        return parse_version(text)
    parts = [_without_zeros(part) for part in text.removeprefix("v").split(".", 2)]
    if len(parts) < 3 and set(parts[-1]) & set("+-"):
        raise EvaluationError("short version cannot contain PreRelease/Build meta data")
    return parse_version(".".join([*parts, "0", "0"][: max(3, len(parts))]))


def _without_zeros(part: str) -> str:
    if len(part) < 2:
        return part
    rest = part.lstrip("0")
    return rest if rest[:1] in _DIGITS and rest else f"0{rest}"


def _is_version(text: str, normalizes: bool = False) -> bool:
    try:
        _normalized(text, normalizes)
    except EvaluationError:
        return False
    return True


def _int(number: int) -> int:
    """A number as an int of 64 bits, as Go converts a uint64."""
    return number if number <= MAX_INT else number - (1 << 64)


def _method(name: str, doc: str, result: Type, run: Callable[..., Any], *more: Type) -> Function:
    overload = Overload((SEMVER, *more), result, run)
    return Function(name, doc, (overload,), is_global=False, is_method=True)


FUNCTIONS: Final = (
    Function(
        "semver",
        "a semantic version",
        (
            Overload((STRING,), SEMVER, parse_version),
            Overload((STRING, BOOL), SEMVER, _normalized),
        ),
    ),
    Function(
        "isSemver",
        "whether a string is a semantic version",
        (Overload((STRING,), BOOL, _is_version), Overload((STRING, BOOL), BOOL, _is_version)),
    ),
    _method("major", "its major number", INT, lambda of: _int(of.major)),
    _method("minor", "its minor number", INT, lambda of: _int(of.minor)),
    _method("patch", "its patch number", INT, lambda of: _int(of.patch)),
    _method("isGreaterThan", "whether it is newer", BOOL, lambda of, other: of > other, SEMVER),
    _method("isLessThan", "whether it is older", BOOL, lambda of, other: of < other, SEMVER),
    _method(
        "compareTo",
        "1, 0 or -1: newer, the same, older",
        INT,
        lambda of, other: (of > other) - (of < other),
        SEMVER,
    ),
)
