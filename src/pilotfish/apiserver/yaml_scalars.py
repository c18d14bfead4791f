"""The meaning of plain words of YAML: Kubernetes reads YAML 1.1 as go-yaml version 2 does.

`yes`, `on` and `y` are booleans, `1e-05` is a number, `1:30` and dates are text. The rules are
those of `resolve` in go-yaml v2, which sigs.k8s.io/yaml uses.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Any, Final

Scalar = str | int | float | bool | None

_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMBER_STARTS: Final = frozenset("+-.0123456789")
# Longer than any number of 64 bits in any base, with a sign and a prefix.
_LONGEST_INTEGER: Final = 68
_INTEGER: Final = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<binary>[01]+)"
    r"|0[oO]?(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*))"
)
_BASES: Final = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def plain_scalar(text: str) -> Scalar:
    """The value of a word without quotes and without a tag."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    digits = text.replace("_", "")
    whole = _integer(digits)
    if whole is not None:
        return whole
    if not _FLOAT.fullmatch(digits):
        return text
    number = float(digits)
    if math.isinf(number):
        return text  # beyond what a float holds: Go's ParseFloat refuses it
    # JSON writes 8.0 as 8, and Kubernetes reads that as an integer.
    return int(number) if number.is_integer() and abs(number) < 2**63 else number


def tagged_scalar(text: str, tag: str) -> Scalar:
    """The value of a word with an explicit tag: `!!str 5`.

    Raises:
        ValueError: when the word is nothing that the tag can stand for.
    """
    name = tag.removeprefix("tag:yaml.org,2002:")
    if name == tag or name in ("str", "timestamp"):
        return text  # also all tags that go-yaml does not know
    if name == "binary":
        raise ValueError("!!binary is not supported: write the base64 text without a tag")
    value = plain_scalar(text)
    found: dict[str, Any] = {"bool": bool, "int": int, "float": float, "null": type(None)}
    wanted = found.get(name)
    if wanted is None:
        return text
    if type(value) is wanted or (wanted is float and type(value) is int):
        return value
    raise ValueError(f"cannot decode `{text[:30]}` as a !!{name}")


def key_text(key: Scalar) -> str:
    """A key as JSON has it, which knows text only: `80: x` is `{"80": "x"}`.

    Raises:
        ValueError: for null, which cannot be a key.
    """
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    if key is None:
        raise ValueError("unsupported map key: null")
    return _float_key(key)


def _integer(text: str) -> int | None:
    """A number that 64 bits hold, signed or not."""
    match = _INTEGER.fullmatch(text) if len(text) <= _LONGEST_INTEGER else None
    if match is None:
        return None
    base = next(name for name in _BASES if match[name])
    value = int(match[base], _BASES[base])
    if match["sign"] == "-":
        value = -value
    return value if -(2**63) <= value < 2**64 else None


def _float_key(key: float) -> str:
    """Go's FormatFloat(key, 'g', -1, 32): the shortest digits that a float of 32 bits keeps."""
    if math.isnan(key):
        return ".nan"
    if math.isinf(key) or abs(key) > 3.4028235e38:
        return ".inf" if key > 0 else "-.inf"
    narrow = struct.unpack("<f", struct.pack("<f", key))[0]
    for precision in range(9):
        text = f"{narrow:.{precision}e}"
        if struct.unpack("<f", struct.pack("<f", float(text)))[0] == narrow:
            break
    exponent = int(text.partition("e")[2])
    if -4 <= exponent < 6:
        return f"{float(text):.{max(precision - exponent, 0)}f}"
    return text
