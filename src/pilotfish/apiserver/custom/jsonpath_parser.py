"""The syntax of kubectl's JSONPath: a text becomes the steps that lead to values.

`.a.b`, `['a']`, `[0]`, `[-1]`, `[1:5:2]`, `[*]`, `[0,2]`, `..name`, `[?(@.a == "b")]`. There is
no `&&`, and a text in double quotes is no key. Source: k8s.io/client-go, util/jsonpath/parser.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pilotfish.apiserver.custom.jsonpath_steps import (
    All,
    Constant,
    Descendants,
    Elements,
    Filter,
    JsonPathError,
    Key,
    Name,
    Path,
    Step,
    Text,
    Union,
)

_END_OF_LINE: Final = "\r\n"
_ENDS_A_NAME: Final = frozenset(" \t\r\n.,[]$@{}")
_KEY: Final = re.compile(r"'([^']*)'")
_SLICE: Final = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
_COMPARES: Final = frozenset("!<>=")
_ESCAPES: Final = dict(zip("abfnrtv\\", "\a\b\f\n\r\t\v\\", strict=True))
_CODES: Final = re.compile(
    r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})", re.ASCII
)
_MOST: Final = 2**63


def parse(text: str) -> Path:
    """The steps of a path, which stands without braces: `.spec.replicas`.

    Raises:
        JsonPathError: it cannot be read.
    """
    # kubectl reads a template, so that a brace may end the path and begin another. The values
    # of the first are what counts, but all of them have to be readable.
    template = f"{{{text}}}"
    first: Path | None = None
    position = 0
    while (position := template.find("{", position)) >= 0:
        parser = _Parser(template, position + 1)
        path = parser.path()
        first = path if first is None else first
        position = parser.position
    return first or ()


class _Parser:
    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self.position = position
        self._steps: list[Step] = []

    def path(self) -> Path:
        """Read up to the brace that ends a path, and over it."""
        text = self._text
        while True:
            at = self.position
            character = text[at : at + 1]
            if character == "}":
                self.position += 1
                return tuple(self._steps)
            if text.startswith("[?(", at):
                self._filter()
            elif text.startswith("..", at):
                self._descendants()
            elif not character or character in _END_OF_LINE:
                raise JsonPathError("unclosed action")
            elif character in " @$":
                self.position += 1
            elif character == "[":
                self._brackets()
            elif character in "\"'":
                self._quoted(character)
            elif character == ".":
                self.position += 1
                self._field()
            elif character in "+-" or character.isdecimal():
                self._number()
            elif character == "_" or character.isalpha():
                self._word()
            else:
                raise JsonPathError(f"unrecognized character in action: {character!r}")

    def _take_while(self, holds: Callable[[str], bool]) -> str:
        start = self.position
        while self.position < len(self._text) and holds(self._text[self.position]):
            self.position += 1
        return self._text[start : self.position]

    def _word(self) -> None:
        word = self._take_while(lambda character: character not in _ENDS_A_NAME)
        known = {"true": Constant(True), "false": Constant(False)}
        self._steps.append(known.get(word) or Name(word))

    def _field(self) -> None:
        start = self.position
        while self.position < len(self._text):
            character = self._text[self.position]
            if character in _ENDS_A_NAME:
                break
            self.position += 2 if character == "\\" else 1
        name = self._text[start : self.position]
        self._steps.append(All() if name == "*" else Key(name.replace("\\", "")))

    def _descendants(self) -> None:
        if self._steps and isinstance(self._steps[-1], Descendants):
            raise JsonPathError("invalid multiple recursive descent")
        self.position += 2
        self._steps.append(Descendants())
        following = self._text[self.position : self.position + 1]
        if following == "_" or following.isalpha() or following.isdecimal():
            self._field()

    def _number(self) -> None:
        start = self.position
        if self._text[start] in "+-":
            self.position += 1
        self._take_while(lambda character: character == "." or character.isdecimal())
        text = self._text[start : self.position]
        if _INTEGER.fullmatch(text) and -_MOST <= int(text) < _MOST:
            self._steps.append(Constant(int(text)))
        elif _FLOAT.fullmatch(text):
            self._steps.append(Constant(float(text)))
        else:
            raise JsonPathError(f"cannot parse number {text}")

    def _quoted(self, quote: str) -> None:
        start = self.position
        end = start + 1
        while True:
            end = self._text.find(quote, end)
            if end < 0:
                raise JsonPathError("unterminated quoted string")
            if self._text[end - 1] != "\\":
                break
            end += 1
        inner = self._text[start + 1 : end]
        if "\n" in inner:
            raise JsonPathError("unterminated quoted string")
        self.position = end + 1
        self._steps.append(Text(_unquoted(inner, quote)))

    def _brackets(self) -> None:
        inner = self._up_to("]", "unterminated array")
        if inner == "*":
            inner = ":"
        parts = inner.split(",")
        if len(parts) > 1:
            self._steps.append(Union(tuple(parse(f"[{part.strip(' ')}]") for part in parts)))
            return
        key = _KEY.fullmatch(inner)
        if key:
            self._steps += parse(f".{key[1]}")
            return
        self._steps.append(_elements(inner))

    def _up_to(self, end: str, why: str) -> str:
        """Read over a bracket, what it holds and the one that closes it; returns the inner."""
        found = self._text.find(end, self.position)
        inner = self._text[self.position + 1 : found]
        if found < 0 or "\n" in inner:
            raise JsonPathError(why)
        self.position = found + 1
        return inner

    def _filter(self) -> None:
        start = self.position + len("[?(")
        end = self._end_of_filter(start)
        if not self._text.startswith("]", end + 1):
            raise JsonPathError("unclosed array expect ]")
        self.position = end + 2
        condition = self._text[start:end]
        left, operator, right = _compared(condition)
        if operator:
            self._steps.append(Filter(parse(left), operator, parse(right)))
        else:
            self._steps.append(Filter(parse(condition), "exists", ()))

    def _end_of_filter(self, start: int) -> int:
        """Where the parenthesis is that ends a filter: outside of its one quoted text."""
        quote, is_closed = "", False
        for index in range(start, len(self._text)):
            character = self._text[index]
            if character == "\n":
                break
            if character in "\"'":
                if not quote:
                    quote = character
                elif character == quote and self._text[index - 1] != "\\":
                    is_closed = True
            elif character == ")" and bool(quote) == is_closed:
                return index
        raise JsonPathError("unterminated filter")


def _compared(condition: str) -> tuple[str, str, str]:
    """The sides of a comparison and its operator, which is empty if it is none."""
    start = next((i for i, each in enumerate(condition) if each in _COMPARES), 0)
    end = start
    while end < len(condition) and condition[end] in _COMPARES:
        end += 1
    if end == len(condition):
        # What stands at the right has a character at least.
        end -= 1
    if not start or end <= start:
        return "", "", ""
    return condition[:start], condition[start:end], condition[end:]


def _elements(text: str) -> Elements:
    match = _SLICE.fullmatch(text)
    if match is None:
        raise JsonPathError(f"invalid array index {text}")
    start = _index(match[1])
    step = _index((match[3] or "")[1:])
    if match[2] is None:
        return Elements(start, (start or 0) + 1, step, is_one=True)
    return Elements(start, _index(match[2][1:]), step, is_one=False)


def _index(text: str) -> int | None:
    if not text:
        return None
    if not _INTEGER.fullmatch(text) or not -_MOST <= int(text) < _MOST:
        raise JsonPathError(f"array index {text} is not a number")
    return int(text)


def _unquoted(text: str, quote: str) -> str:
    """What a quoted text says, by the escapes of Go's strings."""
    parts: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == quote:
            raise JsonPathError(f"unquote string {text} error")
        if character != "\\":
            parts.append(character)
            continue
        escaped = text[position : position + 1]
        code = _CODES.match(text, position)
        if escaped and (escaped in _ESCAPES or escaped == quote):
            parts.append(_ESCAPES.get(escaped, escaped))
            position += 1
        elif code:
            number = int(code[4], 8) if code[4] else int(code[1] or code[2] or code[3], 16)
            if number > 0x10FFFF or 0xD800 <= number < 0xE000 or (code[4] and number > 0xFF):
                raise JsonPathError(f"unquote string {text} error")
            parts.append(chr(number))
            position = code.end()
        else:
            raise JsonPathError(f"unquote string {text} error")
    return "".join(parts)
