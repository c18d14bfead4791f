"""Formats of names, numbers and addresses.

Each function says why a value is wrong, or "" when it is not. The formats and their words are
those of apimachinery's util/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_network
from typing import Any

Format = Callable[[str], str]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED_PART})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_is_label = re.compile(_LABEL + r"\Z").match
_is_label_1035 = re.compile(_LABEL_1035 + r"\Z").match
_is_subdomain = re.compile(_SUBDOMAIN + r"\Z").match
_is_qualified_part = re.compile(_QUALIFIED_PART + r"\Z").match
_is_label_value = re.compile(_LABEL_VALUE + r"\Z").match
_is_config_key = re.compile(_CONFIG_KEY + r"\Z").match
_is_env_name = re.compile(r"[ -<>-~]+\Z").match
_is_percent = re.compile(r"[0-9]+%\Z").match
_is_port_name = re.compile(r"[-a-z0-9]+\Z").match

MAX_LABEL, MAX_SUBDOMAIN, MAX_CONFIG_KEY = 63, 253, 253

PORT_RANGE = "must be between 1 and 65535, inclusive"
NOT_NEGATIVE = "must be greater than or equal to 0"
NOT_POSITIVE = "must be greater than 0"
BAD_NETWORK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
BAD_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def dns_label(text: str) -> str:
    """RFC 1123 label."""
    if len(text) > MAX_LABEL:
        return _too_long(MAX_LABEL)
    if _is_label(text):
        return ""
    if _is_subdomain(text):
        return "must not contain dots"
    return (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
        f"regex used for validation is '{_LABEL}')"
    )


def dns_1035_label(text: str) -> str:
    if len(text) > MAX_LABEL:
        return _too_long(MAX_LABEL)
    if _is_label_1035(text):
        return ""
    return (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with "
        "an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
        f"'abc-123', regex used for validation is '{_LABEL_1035}')"
    )


def dns_subdomain(text: str) -> str:
    """RFC 1123 subdomain: labels joined by dots."""
    if len(text) > MAX_SUBDOMAIN:
        return _too_long(MAX_SUBDOMAIN)
    if _is_subdomain(text):
        return ""
    return (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
        "'-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
        f"regex used for validation is '{_SUBDOMAIN}')"
    )


def path_segment(text: str) -> str:
    """Names that need only fit into a URL path, as roles have them."""
    if text in (".", ".."):
        return f"may not be '{text}'"
    for character in "/%":
        if character in text:
            return f"may not contain '{character}'"
    return ""


def qualified_name(text: str) -> str:
    """`name` or `prefix.example.com/name`, as label and annotation keys are."""
    prefix, slash, name = text.rpartition("/")
    if slash:
        if not prefix:
            return "prefix part must be non-empty"
        if "/" in prefix:
            return _bad_name("a qualified name")
        why = dns_subdomain(prefix)
        if why:
            return f"prefix part {why}"
    if not name:
        return "name part must be non-empty"
    if len(name) > MAX_LABEL:
        return f"name part {_too_long(MAX_LABEL)}"
    return "" if _is_qualified_part(name) else _bad_name("name part")


def label_value(text: str) -> str:
    if len(text) > MAX_LABEL:
        return _too_long(MAX_LABEL)
    if _is_label_value(text):
        return ""
    return (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' "
        "or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
        f"'my_value',  or '12345', regex used for validation is '{_LABEL_VALUE}')"
    )


def config_key(text: str) -> str:
    """A key of a ConfigMap or Secret, which becomes a file's name."""
    if len(text) > MAX_CONFIG_KEY:
        return _too_long(MAX_CONFIG_KEY)
    if not _is_config_key(text):
        return (
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
            "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
            f"'{_CONFIG_KEY}')"
        )
    if text in (".", ".."):
        return f"must not be '{text}'"
    return "must not start with '..'" if text.startswith("..") else ""


def env_name(text: str) -> str:
    """The name of an environment variable; Kubernetes takes all printable ASCII but `=`."""
    if _is_env_name(text):
        return ""
    return (
        "a valid environment variable name must consist only of printable ASCII characters "
        "other than '='"
    )


def port_number(number: int) -> str:
    return "" if 1 <= number <= 65535 else PORT_RANGE


def port_name(text: str) -> str:
    """An IANA service name (RFC 6335, section 5.1)."""
    if len(text) > 15:
        return _too_long(15)
    if not _is_port_name(text):
        return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if "--" in text:
        return "must not contain consecutive hyphens"
    if not any(character.isalpha() for character in text):
        return "must contain at least one letter (a-z)"
    if text[0] == "-" or text[-1] == "-":
        return "must not begin or end with a hyphen"
    return ""


def port_number_or_name(value: int | str) -> str:
    return port_number(value) if isinstance(value, int) else port_name(value)


def address(text: str) -> str:
    """An IPv4 or IPv6 address."""
    return "" if family(text) else BAD_ADDRESS


# The same addresses come again with every write of the slice or Endpoints they are in.
@lru_cache(maxsize=8192)
def family(text: str) -> str:
    """`IPv4`, `IPv6`, or "" for what is no address."""
    try:
        if ":" in text:
            IPv6Address(text)
            return "IPv6"
        IPv4Address(text)
    except AddressValueError:
        return ""
    return "IPv4"


def is_network(text: str) -> bool:
    """Whether a text is a CIDR; bits behind the prefix may be set, as Kubernetes allows."""
    if "/" not in text:
        return False
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def is_percent(value: Any) -> bool:
    return isinstance(value, str) and _is_percent(value) is not None


def _too_long(most: int) -> str:
    return f"must be no more than {most} bytes"


def _bad_name(what: str) -> str:
    return (
        f"{what} must consist of alphanumeric characters, '-', '_' or '.', and must start and "
        "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
        f"used for validation is '{_QUALIFIED_PART}')"
    )
