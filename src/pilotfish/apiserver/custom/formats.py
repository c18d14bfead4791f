"""Formats of strings in structural schemas, as "Validation" of custom resources lists them.

All patterns of values of any length are RE2's, whose time is linear in the value: users choose
the values.
The right values are those of kube-openapi's `pkg/validation/strfmt`.
"""

from __future__ import annotations

import ipaddress
from calendar import monthrange
from collections.abc import Callable
from typing import Final

from pilotfish.apiserver.custom.check_digits import is_credit_card, is_isbn10, is_isbn13
from pilotfish.apiserver.validation.formats import dns_label, dns_subdomain
from pilotfish.cel.regex import found, own_searcher
from pilotfish.cel.request_uri import request_uri

_date: Final = own_searcher(r"^\d{4}-\d{2}-\d{2}$")
_time: Final = own_searcher(r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d((?s:.)\d+)?(z|[+-]\d{2}:\d{2})$")
_go_duration: Final = own_searcher(r"^[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$")
_DURATIONS: Final = r"\d+\s*[A-Za-zµ]+"
_UNITS: Final = frozenset(
    {"ns", "us", "µs", "ms", "s", "sec", "m", "h", "hr", "d", "w", "wk"}
    | {"nano", "micro", "milli", "min", "hour", "day", "week"}
)
# Of which plurals and longer forms are units as well.
_WORDS: Final = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_INT64_DIGITS: Final = 19

_LABEL_END: Final = r"[a-zA-Z0-9\p{S}\p{L}]"
_one_label: Final = own_searcher(rf"^{_LABEL_END}(-?{_LABEL_END}{{0,62}})?$")
_inner_label: Final = own_searcher(
    rf"^{_LABEL_END}([a-zA-Z0-9\p{{S}}\p{{L}}-]{{0,61}}{_LABEL_END})?$"
)
_last_label: Final = own_searcher(r"^\p{L}{2,63}$")

_WORD: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x{80}-\x{10ffff}-]+"
_QUOTED: Final = r'"([^"\\\r\n]|\\[^\r\n])*"'
_ADDRESS: Final = rf"({_WORD}(\.{_WORD})*|{_QUOTED})@{_WORD}(\.{_WORD})*"
_NAME: Final = rf"(({_WORD}|{_QUOTED}|\.)[ \t]*)*"
_mail: Final = own_searcher(
    rf"^[ \t]*({_ADDRESS}|{_NAME}<[ \t]*{_ADDRESS}[ \t]*>)[ \t]*(\([^()]*\)[ \t]*)?$"
)

_CHANNEL: Final = r"\s*(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])\s*"
_hex: Final = own_searcher(r"^[0-9a-fA-F]*$")
# How MAC addresses are written: the separator, the digits between, the numbers of groups.
_MAC_FORMS: Final = ((":", 2, (6, 8, 20)), ("-", 2, (6, 8, 20)), (".", 4, (3, 4, 10)))
_MAX_HOST_BYTES, _MAX_HOST_PART = 255, 63


def _uuid(version: str, variant: str = "[0-9a-f]") -> Callable[[str], bool]:
    """UUIDs of a version, whose dashes may be left out."""
    start = rf"[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{version}[0-9a-f]{{3}}-?"
    return own_searcher(rf"^(?i){start}{variant}[0-9a-f]{{3}}-?[0-9a-f]{{12}}$")


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _is_date(text: str) -> bool:
    if not _date(text):
        return False
    year, month, day = map(int, text.split("-"))
    # The year 0 is a leap year, and none of Python's.
    return 1 <= month <= 12 and 1 <= day <= monthrange(year or 4, month)[1]


def _is_date_time(text: str) -> bool:
    parts = text.lower().split("t")
    return len(parts) > 1 and _is_date(parts[0]) and _time(parts[1])


def _is_duration(text: str) -> bool:
    """Go's "1h30m", or numbers with a unit anywhere in a text: "1 day", "2 hours 3 min"."""
    if _go_duration(text):
        return True
    pieces = found(_DURATIONS, text)
    units = [piece.lstrip("0123456789").strip().lower() for piece in pieces]
    sizes = [len(piece) - len(piece.lstrip("0123456789")) for piece in pieces]
    known = any(unit in _UNITS or unit.startswith(_WORDS) for unit in units)
    return known and max(sizes) <= _INT64_DIGITS


def _is_host(text: str) -> bool:
    labels = text.split(".")
    if len(text.encode()) > _MAX_HOST_BYTES:
        return False
    if any(len(label.encode()) > _MAX_HOST_PART for label in labels):
        return False
    *inner, last = labels
    return _last_label(last) and all(map(_inner_label, inner)) if inner else _one_label(last)


def _is_ipv4(text: str) -> bool:
    return "." in text and _parses(_address)(text)


def _is_ipv6(text: str) -> bool:
    return ":" in text and "%" not in text and _parses(ipaddress.IPv6Address)(text)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address; numbers of IPv4 may begin with zeros."""
    if "%" in text:
        raise ValueError("a zone is no part of an address")
    start, colon, end = text.rpartition(":")
    parts = [part.lstrip("0") or "0" if part.isdecimal() else part for part in end.split(".")]
    return ipaddress.ip_address(f"{start}{colon}{'.'.join(parts)}" if len(parts) == 4 else text)


def _network(text: str) -> object:
    address, slash, bits = text.partition("/")
    if not slash or not (bits.isascii() and bits.isdecimal()):
        raise ValueError("no prefix")
    if int(bits[:4]) > _address(address).max_prefixlen or len(bits) > 3:
        raise ValueError("the prefix is longer than the address")
    return address


def _is_mac(text: str) -> bool:
    """EUI-48, EUI-64 or an InfiniBand address: in bytes, or in pairs of bytes with dots."""
    for separator, digits, counts in _MAC_FORMS:
        parts = text.split(separator)
        if len(parts) in counts:
            return all(len(part) == digits and _hex(part) for part in parts)
    return False


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "bsonobjectid": own_searcher(r"^[0-9a-fA-F]{24}$"),
    "byte": own_searcher(
        r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$"
    ),
    "cidr": _parses(_network),
    "creditcard": is_credit_card,
    "date": _is_date,
    "datetime": _is_date_time,
    "duration": _is_duration,
    "email": _mail,
    "hexcolor": own_searcher(r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
    "hostname": _is_host,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "isbn": lambda text: is_isbn10(text) or is_isbn13(text),
    "isbn10": is_isbn10,
    "isbn13": is_isbn13,
    "k8sshortname": lambda text: not dns_label(text),
    "k8slongname": lambda text: not dns_subdomain(text),
    "mac": _is_mac,
    "rgbcolor": own_searcher(rf"^rgb\({_CHANNEL},{_CHANNEL},{_CHANNEL}\)$"),
    "ssn": own_searcher(r"^\d{3}[- ]\d{2}[- ]\d{4}$"),
    "uri": _parses(request_uri),
    "uuid": _uuid("[0-9a-f]"),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
}


def has_format(text: str, name: str) -> bool:
    """Whether a string has the format of that name; formats nobody knows are not checked.

    Dashes in names mean nothing: "date-time" is "datetime".
    """
    check = _CHECKS.get(name.replace("-", ""))
    return check is None or check(text)
