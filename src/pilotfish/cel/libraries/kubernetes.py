"""All functions of Kubernetes' CEL, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pilotfish.cel import optionals
from pilotfish.cel.functions import FUNCTIONS as STANDARD
from pilotfish.cel.functions import Function
from pilotfish.cel.libraries import (
    addresses,
    lists,
    quantities,
    regexes,
    sets,
    strings,
    urls,
    versions,
)


def merged(*libraries: Iterable[Function]) -> dict[str, Function]:
    """Functions by name; those of one name become one with all overloads."""
    found: dict[str, Function] = {}
    for library in libraries:
        for function in library:
            before = found.get(function.name)
            if before is not None:
                function = replace(
                    before,
                    overloads=before.overloads + function.overloads,
                    is_global=before.is_global or function.is_global,
                    is_method=before.is_method or function.is_method,
                )
            found[function.name] = function
    return found


FUNCTIONS: Mapping[str, Function] = merged(
    STANDARD.values(),
    optionals.FUNCTIONS,
    strings.FUNCTIONS,
    lists.FUNCTIONS,
    sets.FUNCTIONS,
    regexes.FUNCTIONS,
    urls.FUNCTIONS,
    quantities.FUNCTIONS,
    addresses.FUNCTIONS,
    versions.FUNCTIONS,
)

# Types by the names that expressions give them, and what `type()` returns.
TYPES: Mapping[str, str] = {
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
    **{
        kind.name: kind.name
        for kind in (
            quantities.QUANTITY,
            addresses.IP,
            addresses.CIDR,
            versions.SEMVER,
            urls.URL,
        )
    },
}
