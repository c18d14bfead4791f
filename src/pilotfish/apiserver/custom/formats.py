"""Formats of strings in structural schemas, as "Validation" of custom resources lists them."""

from __future__ import annotations

import binascii
import ipaddress
import re
import uuid
from collections.abc import Callable
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from pilotfish.objects.times import parse_time

_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d([.,]\d+)?([Zz]|[+-]\d\d:?\d\d)")
_DURATION: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)\s*(ns|us|µs|ms|s|m|h|d|w)", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_HOST: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.?)+")
_MAC: Final = re.compile(r"([0-9A-Fa-f]{2}([:-]|$)){6}")
_COLOR: Final = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_date_time(text: str) -> bool:
    return _DATE_TIME.fullmatch(text) is not None and _parses(parse_time)(text)


def _is_duration(text: str) -> bool:
    return bool(text) and _DURATION.sub("", text).strip() == ""


def _base64(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "byte": _parses(_base64),
    "cidr": _parses(lambda text: ipaddress.ip_interface(text) if "/" in text else int("")),
    "date": _parses(date.fromisoformat),
    "date-time": _is_date_time,
    "datetime": _is_date_time,
    "duration": _is_duration,
    "email": _matches(_EMAIL),
    "hexcolor": _matches(_COLOR),
    "hostname": _matches(_HOST),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "mac": _matches(_MAC),
    "uri": lambda text: bool(urlsplit(text).scheme),
    "uuid": _parses(uuid.UUID),
}


def has_format(text: str, name: str) -> bool:
    """Whether a string has the format of that name; formats nobody knows are not checked."""
    check = _CHECKS.get(name)
    return check is None or check(text)
