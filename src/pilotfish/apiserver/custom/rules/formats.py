"""Named formats: `format.dns1123Label().validate(self)` (Kubernetes' format library)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from pilotfish.apiserver.custom.formats import has_format
from pilotfish.apiserver.validation.formats import (
    dns_1035_label,
    dns_label,
    dns_subdomain,
    label_value,
    qualified_name,
)
from pilotfish.cel.functions import Function, Overload
from pilotfish.cel.optional_value import NONE, Optional
from pilotfish.cel.optionals import optional_of
from pilotfish.cel.types import STRING, STRINGS, Type
from pilotfish.cel.values import TypeName

FORMAT: Final = Type("kubernetes.NamedFormat")


@dataclass(frozen=True, slots=True)
class Format:
    """A format: `check` says what is wrong with a text; "" for nothing."""

    cel_type: ClassVar = TypeName(FORMAT.name)

    name: str
    check: Callable[[str], str] = field(compare=False)


def _prefix(check: Callable[[str], str]) -> Callable[[str], str]:
    """What may begin a name: it may end with a dash, as generateName does."""
    return lambda text: check(f"{text[:-1]}a" if text.endswith("-") else text)


def _by_name(name: str, words: str) -> Callable[[str], str]:
    return lambda text: "" if has_format(text, name) else words


_CHECKS: Final[dict[str, Callable[[str], str]]] = {
    "dns1123Label": dns_label,
    "dns1123Subdomain": dns_subdomain,
    "dns1035Label": dns_1035_label,
    "qualifiedName": qualified_name,
    "dns1123LabelPrefix": _prefix(dns_label),
    "dns1123SubdomainPrefix": _prefix(dns_subdomain),
    "dns1035LabelPrefix": _prefix(dns_1035_label),
    "labelValue": label_value,
    "uri": _by_name("uri", "invalid URI"),
    "uuid": _by_name("uuid", "does not match the UUID format"),
    "byte": _by_name("byte", "invalid base64"),
    "date": _by_name("date", "invalid date"),
    "datetime": _by_name("datetime", "invalid datetime"),
}
_FORMATS: Final = {name: Format(name, check) for name, check in _CHECKS.items()}


def _named(name: str) -> Optional:
    found = _FORMATS.get(name)
    return NONE if found is None else Optional(found, True)


def _validate(of: Format, text: str) -> Optional:
    why = of.check(text)
    return Optional([why], True) if why else NONE


def _constant(of: Format) -> Callable[[], Any]:
    return lambda: of


FUNCTIONS: Final = (
    Function(
        "format.named",
        "the format of a name, if there is one",
        (Overload((STRING,), optional_of(FORMAT), _named),),
    ),
    Function(
        "validate",
        "what is wrong with a text; none if nothing is",
        (Overload((FORMAT, STRING), optional_of(STRINGS), _validate),),
        is_global=False,
        is_method=True,
    ),
    *(
        Function(f"format.{name}", "a format", (Overload((), FORMAT, _constant(each)),))
        for name, each in _FORMATS.items()
    ),
)
