"""Field selectors: which fields of which resource can be asked for, and their values.

The sets are kube-apiserver's: `metadata.name` and `metadata.namespace` everywhere, and
what the registry strategy of each kind adds to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pilotfish.objects.meta import Object

_Reader = Callable[[Object], str]


def _at(path: str, default: str = "") -> _Reader:
    keys = path.split(".")

    def read(obj: Object) -> str:
        value: Any = obj
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
            if value is None:
                return default
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    return read


def _first_of(*paths: str) -> _Reader:
    readers = [_at(path) for path in paths]

    def read(obj: Object) -> str:
        return next((value for reader in readers if (value := reader(obj))), "")

    return read


def _plain(*paths: str) -> dict[str, _Reader]:
    return {path: _at(path) for path in paths}


_EVENT: dict[str, _Reader] = {
    **_plain(
        *(
            f"involvedObject.{field}"
            for field in (
                "kind",
                "namespace",
                "name",
                "uid",
                "apiVersion",
                "resourceVersion",
                "fieldPath",
            )
        ),
        "reason",
        "reportingComponent",
        "type",
    ),
    "source": _first_of("source.component", "reportingComponent"),
}

_READERS: Final[Mapping[str, Mapping[str, _Reader]]] = {
    "pods": {
        **_plain(
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ),
        "spec.hostNetwork": _at("spec.hostNetwork", "false"),
    },
    "services": {
        "spec.clusterIP": _at("spec.clusterIP"),
        "spec.type": _at("spec.type"),
    },
    "nodes": {"spec.unschedulable": _at("spec.unschedulable", "false")},
    "namespaces": {"status.phase": _at("status.phase")},
    "secrets": {"type": _at("type")},
    "events": _EVENT,
    "replicationcontrollers": {"status.replicas": _at("status.replicas", "0")},
    "replicasets.apps": {"status.replicas": _at("status.replicas", "0")},
    "jobs.batch": {"status.successful": _at("status.succeeded", "0")},
    "certificatesigningrequests.certificates.k8s.io": {"spec.signerName": _at("spec.signerName")},
    "apiservices.apiregistration.k8s.io": {},
    "customresourcedefinitions.apiextensions.k8s.io": {},
}

# The same Event has other names in events.k8s.io/v1.
_ALIASES: Final[Mapping[str, Mapping[str, str]]] = {
    "events.events.k8s.io": {
        **{
            path.replace("involvedObject", "regarding"): path
            for path in _EVENT
            if path.startswith("involvedObject")
        },
        "reason": "reason",
        "reportingController": "reportingComponent",
        "type": "type",
    }
}
_NONE: Final[Mapping[str, _Reader]] = {}
_NO_FIELDS: Final[Mapping[str, str]] = {}


def selectable_fields(resource_name: str, obj: Object) -> Mapping[str, str]:
    """The values of the selectable fields of an object, but for its name and namespace."""
    readers = _READERS.get(resource_name)
    if not readers:
        return _NO_FIELDS
    return {path: read(obj) for path, read in readers.items()}


def fields_at(obj: Object, paths: Iterable[str]) -> Mapping[str, str]:
    """The values at paths that a custom resource's definition makes selectable."""
    return {path: _at(path)(obj) for path in paths}


def stored_path(resource_name: str, path: str) -> str | None:
    """The path under which a field selector's field is kept; None if it cannot be asked for."""
    if path in ("metadata.name", "metadata.namespace"):
        return path
    aliases = _ALIASES.get(resource_name)
    if aliases is not None:
        return aliases.get(path)
    return path if path in _READERS.get(resource_name, _NONE) else None
