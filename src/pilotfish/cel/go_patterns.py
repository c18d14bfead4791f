"""Regular expressions in the syntax of Go's `regexp/syntax`, as RE2 accepts them.

The two syntaxes are nearly the same. Where they differ, Go's counts: Kubernetes compiles patterns
of schemas and of CEL's `matches` with Go. https://pkg.go.dev/regexp/syntax
"""

from __future__ import annotations

import re
from typing import Final

# Go: maxHeight of regexp/syntax/parse.go.
_MAX_DEPTH: Final = 1000
_GROUP_NAME: Final = re.compile(r"\(\?P?<([^>]*)>")
_CLASS_NAME: Final = re.compile(r"\\[pP]\{(\^?)([^}]*)\}")
_WORD_ONLY: Final = re.compile(r"[A-Za-z0-9_]+\Z")
_POSIX_CLASS: Final = re.compile(r"\[:\^?[a-z]+:\]")
# Since Go 1.25, names of Unicode classes may be the long ones of UTS #18, in any case.
_CATEGORIES: Final = {
    "any": "Any",
    "other": "C",
    "control": "Cc",
    "cntrl": "Cc",
    "format": "Cf",
    "privateuse": "Co",
    "surrogate": "Cs",
    "letter": "L",
    "lowercaseletter": "Ll",
    "modifierletter": "Lm",
    "otherletter": "Lo",
    "titlecaseletter": "Lt",
    "uppercaseletter": "Lu",
    "mark": "M",
    "combiningmark": "M",
    "spacingmark": "Mc",
    "enclosingmark": "Me",
    "nonspacingmark": "Mn",
    "number": "N",
    "decimalnumber": "Nd",
    "digit": "Nd",
    "letternumber": "Nl",
    "othernumber": "No",
    "punctuation": "P",
    "punct": "P",
    "connectorpunctuation": "Pc",
    "dashpunctuation": "Pd",
    "closepunctuation": "Pe",
    "finalpunctuation": "Pf",
    "initialpunctuation": "Pi",
    "otherpunctuation": "Po",
    "openpunctuation": "Ps",
    "symbol": "S",
    "currencysymbol": "Sc",
    "modifiersymbol": "Sk",
    "mathsymbol": "Sm",
    "othersymbol": "So",
    "separator": "Z",
    "lineseparator": "Zl",
    "paragraphseparator": "Zp",
    "spaceseparator": "Zs",
}


class GoPatternError(ValueError):
    """Go refuses the pattern though RE2 would accept it; the message says why."""


def to_re2(pattern: str) -> str:
    """Translate a pattern of Go's to the same one of RE2's.

    RE2 itself refuses what both refuse.

    Raises:
        GoPatternError: the pattern has what only RE2 knows.
    """
    parts: list[str] = []
    names: set[str] = set()
    position = depth = 0
    while position < len(pattern):
        end = position + 1
        match pattern[position]:
            case "\\":
                end, text = _escape(pattern, position)
            case "[":
                end, text = _bracket(pattern, position)
            case "(":
                depth += 1
                if depth > _MAX_DEPTH:
                    raise GoPatternError("expression nests too deeply")
                end, text = _group(pattern, position, names)
            case ")":
                depth -= 1
                text = ")"
            case other:
                text = other
        parts.append(text)
        position = end
    return "".join(parts)


def _escape(pattern: str, start: int) -> tuple[int, str]:
    """The end and the translation of what a backslash begins outside brackets."""
    following = pattern[start + 1 : start + 2]
    if following == "Q":
        end = pattern.find("\\E", start + 2)
        end = len(pattern) if end < 0 else end + 2
        return end, pattern[start:end]
    if following == "C":
        raise GoPatternError(r"invalid escape sequence: `\C`")
    return _class_or_character(pattern, start)


def _class_or_character(pattern: str, start: int) -> tuple[int, str]:
    match = _CLASS_NAME.match(pattern, start)
    if match is None:
        return start + 2, pattern[start : start + 2]
    negation, name = match[1], match[2]
    return match.end(), f"{match[0][:2]}{{{negation}{_unicode_class(name)}}}"


def _unicode_class(name: str) -> str:
    plain = name.replace("_", "").replace("-", "").replace(" ", "").lower()
    if plain in _CATEGORIES:
        return _CATEGORIES[plain]
    if len(plain) <= 2:
        return plain.capitalize()
    if name != name.lower():
        return name
    return "_".join(word.capitalize() for word in name.replace(" ", "_").split("_"))


def _group(pattern: str, start: int, names: set[str]) -> tuple[int, str]:
    match = _GROUP_NAME.match(pattern, start)
    if match is None:
        return start + 1, "("
    if _WORD_ONLY.match(match[1]) is None:
        raise GoPatternError(f"invalid named capture: `{match[0]}`")
    if match[1] in names:
        raise GoPatternError(f"duplicate capture group name: `{match[1]}`")
    names.add(match[1])
    return match.end(), match[0]


def _bracket(pattern: str, start: int) -> tuple[int, str]:
    """The end and the translation of a class in brackets; `]` is literal as its first character."""
    position = start + 1
    if pattern.startswith("^", position):
        position += 1
    parts = [pattern[start:position]]
    is_first = True
    while position < len(pattern) and (is_first or pattern[position] != "]"):
        is_first = False
        posix = _POSIX_CLASS.match(pattern, position)
        if posix is not None:
            end, text = posix.end(), posix[0]
        elif pattern[position] == "\\":
            end, text = _class_or_character(pattern, position)
        else:
            end, text = position + 1, pattern[position]
        parts.append(text)
        position = end
    return position + 1, "".join(parts) + pattern[position : position + 1]
