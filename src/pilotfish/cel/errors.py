"""What is wrong with an expression, and where: for the person who wrote it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN_CHARS = 120


class ExpressionError(ValueError):
    """An expression that cannot be used. `str()` shows the place, with a caret under it.

    Attributes:
        message: what is wrong, in one sentence without a full stop.
        line, column: of the place, from 1.
        end: the column behind the place.
        suggestion: what may have been meant: a name, or a piece of text; "" when nobody knows.
    """

    def __init__(
        self, message: str, text: str, at: int, width: int = 1, suggestion: str = ""
    ) -> None:
        """Make one.

        Args:
            message: what is wrong.
            text: the whole expression.
            at: offset of the place in it.
            width: how many characters the place has.
            suggestion: what may have been meant.
        """
        self.message = message
        self.suggestion = suggestion
        at = min(at, len(text))
        before = text[:at]
        self.line = before.count("\n") + 1
        self.column = at - (before.rfind("\n") + 1) + 1
        shown = text.split("\n")[self.line - 1]
        # Of a long line what is around the place.
        cut = max(0, self.column - _SHOWN_CHARS // 2) if len(shown) > _SHOWN_CHARS else 0
        shown = shown[cut : cut + _SHOWN_CHARS]
        self._shown = "".join(char if char.isprintable() else " " for char in shown)
        self._indent = self.column - 1 - cut
        self._width = max(1, min(width, len(shown) - self._indent))
        self.end = self.column + self._width
        super().__init__(self._text())

    def _text(self) -> str:
        meant = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        caret = " " * self._indent + "^" * self._width
        return (
            f"line {self.line}, column {self.column}: {self.message}{meant}\n"
            f"  {self._shown}\n  {caret}"
        )


class SyntaxFaultError(ExpressionError):
    """A text that is no expression."""


class UnknownNameError(ExpressionError):
    """A name that means nothing.

    Attributes:
        name: that name.
        is_field: whether it was to be a field, not a variable.
    """

    def __init__(
        self, message: str, text: str, at: int, width: int, suggestion: str, name: str
    ) -> None:
        """Make one of a variable's name; set `is_field` for a field's."""
        super().__init__(message, text, at, width, suggestion)
        self.name = name
        self.is_field = False


class EvaluationError(Exception):
    """The expression has no value in this scope: CEL's `error`."""


class TooLongError(EvaluationError):
    """Its loops took more steps than it is given."""


def nearest(name: str, names: Iterable[str]) -> str:
    """The one of `names` that is most like `name`; "" when none is."""
    by_lower = {each.lower(): each for each in names}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""
