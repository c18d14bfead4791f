"""Resource quantities: `100m`, `1.5Gi`, `2e3`.

The notation is that of k8s.io/apimachinery's resource.Quantity: a decimal
number with a binary suffix (Ki … Ei), a decimal one (n u m k M G T P E) or an
exponent.
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal

_SUFFIXES: dict[str, Decimal] = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(1000),
    "M": Decimal(1000) ** 2,
    "G": Decimal(1000) ** 3,
    "T": Decimal(1000) ** 4,
    "P": Decimal(1000) ** 5,
    "E": Decimal(1000) ** 6,
    "Ki": Decimal(1024),
    "Mi": Decimal(1024) ** 2,
    "Gi": Decimal(1024) ** 3,
    "Ti": Decimal(1024) ** 4,
    "Pi": Decimal(1024) ** 5,
    "Ei": Decimal(1024) ** 6,
}

# The default of 28 digits is too few for 19 digits of Gi.
_EXACT = Context(prec=2000, rounding=ROUND_UP)
_MOST = Decimal((1 << 63) - 1)

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?:(?P<exponent>[eE][+-]?[0-9]+)|(?P<suffix>[KMGTPE]i|[numkMGTPE])?)\Z"
)


def parse_quantity(text: str | int | float) -> Decimal:
    """The number that a quantity stands for.

    Raises:
        ValueError: in the words of the Kubernetes API, for text that is no quantity.
    """
    match = _QUANTITY.match(str(text))
    if match is None:
        raise ValueError(
            "quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    number, exponent = Decimal(match["number"]), match["exponent"]
    if exponent:
        return _within_bounds(_scaled(number, exponent[1:]))
    return _within_bounds(_EXACT.multiply(number, _SUFFIXES[match["suffix"] or ""]))


def _scaled(number: Decimal, exponent: str) -> Decimal:
    digits = exponent.lstrip("+-").lstrip("0")
    # Python reads no exponent of thousands of digits; beyond 999 all are the same (_within_bounds).
    power = 999 if len(digits) > 3 else int(digits or "0")
    return _EXACT.scaleb(number, -power if exponent.startswith("-") else power)


def _within_bounds(number: Decimal) -> Decimal:
    """Round away from zero to whole nano-units, and cut to 2⁶³-1 on either side of zero.

    apimachinery's ParseQuantity rounds like that, and cuts what has a binary suffix. Here
    everything is cut, so that later arithmetic is exact in 28 digits.
    """
    if number.copy_abs() > _MOST:
        return _MOST.copy_sign(number)
    if number.as_tuple().exponent < -9:  # type: ignore[operator] # no NaN, no infinity
        return _EXACT.quantize(number, _SUFFIXES["n"])
    return number


def format_quantity(number: Decimal | int, binary: bool = False) -> str:
    """The canonical text of a number: the largest suffix that leaves it whole.

    Args:
        number: the value, in units (bytes, cores).
        binary: powers of 1024 (memory) instead of powers of 1000.
    """
    value = Decimal(number)
    suffixes = ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki") if binary else ("E", "P", "T", "G", "M", "k")
    for suffix in (*suffixes, "", "m", "u", "n"):
        if value and value % _SUFFIXES[suffix] == 0:
            return f"{int(value / _SUFFIXES[suffix])}{suffix}"
    if value == 0:
        return "0"
    # Finer than a nano-unit is rounded up, as Kubernetes does.
    return f"{int((value / _SUFFIXES['n']).to_integral_value(rounding='ROUND_UP'))}n"
