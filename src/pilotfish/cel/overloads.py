"""Which way to call a function fits its arguments, and what is wrong where none does."""

from __future__ import annotations

from pilotfish.cel import closures, hints, syntax
from pilotfish.cel.closures import Typed, constant
from pilotfish.cel.errors import EvaluationError, ExpressionError
from pilotfish.cel.functions import Overload
from pilotfish.cel.types import DYN, Type, accepts, joined


def called(
    text: str,
    node: syntax.Node,
    name: str,
    overloads: tuple[Overload, ...],
    arguments: list[Typed],
    places: list[syntax.Node],
) -> Typed:
    """A call of the overload that fits; where a type is dyn, it is chosen at run time.

    Args:
        text: the whole expression.
        node, name: the call, and what is called.
        places: of the arguments, for errors.

    Raises:
        ExpressionError: no overload fits.
    """
    given = [argument.type for argument in arguments]
    fitting = [each for each in overloads if _fits(each, given)]
    if not fitting:
        raise _misfit(text, node, name, overloads, arguments, places)
    first = fitting[0]
    if DYN in given and any(DYN not in each.parameters for each in fitting):
        run = closures.chosen_late(fitting, [argument.run for argument in arguments])
        return Typed(joined([each.result for each in fitting]), run)
    result = first.result
    if first.result_of is not None:
        try:
            result = first.result_of(given)
        except ValueError as error:
            place = places[min(1, len(places) - 1)]
            raise ExpressionError(str(error), text, place.at, place.width) from error
    if all(argument.is_constant for argument in arguments):
        try:
            return constant(result, first.run(*(each.constant for each in arguments)))
        except EvaluationError:
            pass  # it is an error at run time, which && and || may absorb
    return Typed(result, closures.calling(first.run, arguments))


def _fits(overload: Overload, given: list[Type]) -> bool:
    wanted = overload.parameters
    return len(wanted) == len(given) and all(map(accepts, wanted, given))


def _misfit(
    text: str,
    node: syntax.Node,
    name: str,
    overloads: tuple[Overload, ...],
    arguments: list[Typed],
    places: list[syntax.Node],
) -> ExpressionError:
    def error(message: str, at: syntax.Node, meant: str = "") -> ExpressionError:
        return ExpressionError(message, text, at.at, at.width, meant)

    counts = sorted({len(each.parameters) for each in overloads})
    if len(arguments) not in counts:
        is_method = isinstance(node, syntax.Call) and len(places) > len(node.arguments)
        wanted = " or ".join(str(count - is_method) for count in counts)
        return error(f"{name} takes {wanted} arguments", node)
    of_size = [each for each in overloads if len(each.parameters) == len(arguments)]
    if isinstance(node, syntax.Binary | syntax.Unary):
        kinds = " and ".join(str(each.type) for each in arguments)
        meant = ""
        if len(arguments) == 2:
            pairs = ((places[0], arguments[1]), (places[1], arguments[0]))
            meants = (hints.value(text, place, other.type) for place, other in pairs)
            meant = next(filter(None, meants), "")
        return error(f"{name} is not for {kinds}", places[-1] if meant else node, meant)
    for at, (argument, place) in enumerate(zip(arguments, places, strict=True)):
        wanted_kinds = dict.fromkeys(str(each.parameters[at]) for each in of_size)
        if not any(accepts(each.parameters[at], argument.type) for each in of_size):
            wanted = ", ".join(wanted_kinds)
            return error(f"{name} is for {wanted}, not for {argument.type}", place)
    kinds = ", ".join(str(each.type) for each in arguments)
    return error(f"{name} is not for ({kinds})", node)
