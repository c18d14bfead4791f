"""Filters: CEL with Kubeshark's names (KFL2), checked before they run.

Of the libraries for CEL that Python has, none checks types, so that a misspelt
name would match nothing, silently, for ever; and they evaluate at tens of
microseconds an entry and more, where the tap dissects a request in twelve.
Hence one of our own: lark for the grammar, a type checker, closures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotfish.cel.errors import EvaluationError, ExpressionError
from pilotfish.tap.filter.environment import VARIABLES, Variable
from pilotfish.tap.filter.shapes import Entry

if TYPE_CHECKING:
    from pilotfish.cel.closures import Condition
    from pilotfish.cel.loops import Steps
    from pilotfish.tap.filter.completion import Completion

MAX_CHARS = 8192


class Filter:
    """A filter that can be used: by one thread at a time.

    Attributes:
        text: as it was written.
    """

    __slots__ = ("_run", "_steps", "text")

    def __init__(self, text: str) -> None:
        """Compile a filter; an empty one matches everything.

        Raises:
            ExpressionError (FilterError): it is not sound; says where and why.
        """
        self.text = text
        self._run: Condition = _always
        self._steps: Steps | None = None
        if not text.strip():
            return
        if len(text) > MAX_CHARS:
            message = f"a filter has at most {MAX_CHARS} characters"
            raise ExpressionError(message, text, MAX_CHARS)
        # Lark costs some 50 ms to import, which nobody without a filter should pay.
        from pilotfish.cel.compiler import Compiler
        from pilotfish.cel.parser import parse
        from pilotfish.tap.filter.dialect import ENVIRONMENT

        compiler = Compiler(text, ENVIRONMENT)
        self._run = compiler.compile_condition(parse(text))
        self._steps = compiler.steps

    def matches(self, entry: Entry) -> bool:
        """Whether an entry is wanted; one for which the filter has no value (an error) is not."""
        if self._steps is not None:
            self._steps.refill()
        try:
            return self._run(entry)
        except EvaluationError:
            return False


def _always(_entry: Entry) -> bool:
    return True


def compile(text: str) -> Filter:
    """The filter that a text describes.

    Raises:
        ExpressionError (FilterError): it is not sound; says where and why.
    """
    return Filter(text)


def variables() -> tuple[Variable, ...]:
    """Every name that a filter may use, as docs/reference/filters.md lists them."""
    return tuple(VARIABLES.values())


def complete(text: str, cursor: int) -> list[Completion]:
    """What may come next in a filter that is being written, with the cursor at that offset."""
    from pilotfish.tap.filter import completion

    return completion.complete(text, cursor)
