"""Which endpoints could have been chosen for a connection: of EndpointSlices, as they change.

The answer for a Service is the same object until something of it changes, so that asking for each
of many entries costs a look-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotfish.objects.meta import Object, key_of, labels_of, name_of, namespace_of

if TYPE_CHECKING:
    from pilotfish.dashboard.tally import Ready
    from pilotfish.tap.entry import Entry

_SERVICE_LABEL = "kubernetes.io/service-name"
_OUTSIDE = ("host", "external")  # the node and its Pods reach all endpoints, whatever the policy
_ZONE_LABEL = "topology.kubernetes.io/zone"
# namespace, Service, node on which the choice is made, only of its endpoints, whether it is of IPv6
_Key = tuple[str, str, str, bool, bool]
_Name = tuple[str, str]


class Readiness:
    """Fed with object changes, as informers report them."""

    def __init__(self) -> None:
        self._slices: dict[_Name, dict[str, Object]] = {}
        self._local: set[_Name] = set()
        # ClusterIPs of those whose other addresses are for endpoints of the same node.
        self._local_outside: dict[_Name, list[str]] = {}
        self._zones: dict[str, str] = {}
        self._known: dict[_Key, Ready] = {}

    def service_changed(self, old: Object | None, new: Object | None) -> None:
        """A Service came, changed, or went."""
        service = new or old or {}
        key = namespace_of(service), name_of(service)
        spec = (new or {}).get("spec") or {}
        if spec.get("internalTrafficPolicy") == "Local":
            self._local.add(key)
        else:
            self._local.discard(key)
        if spec.get("externalTrafficPolicy") == "Local":
            self._local_outside[key] = spec.get("clusterIPs") or [spec.get("clusterIP", "")]
        else:
            self._local_outside.pop(key, None)
        self._forget(key)

    def slice_changed(self, old: Object | None, new: Object | None) -> None:
        """An EndpointSlice came, changed, or went."""
        for endpoint_slice, is_there in ((old, False), (new, True)):
            name = labels_of(endpoint_slice or {}).get(_SERVICE_LABEL)
            if endpoint_slice is None or not name:
                continue
            key = namespace_of(endpoint_slice), name
            slices = self._slices.setdefault(key, {})
            if is_there:
                slices[key_of(endpoint_slice)] = endpoint_slice
            else:
                slices.pop(key_of(endpoint_slice), None)
            if not slices:
                del self._slices[key]
            self._forget(key)

    def node_changed(self, _old: Object | None, new: Object | None) -> None:
        """A Node came, changed, or went."""
        if new is None:
            return
        zone = labels_of(new).get(_ZONE_LABEL, "")
        if self._zones.get(name_of(new)) != zone:
            self._zones[name_of(new)] = zone
            self._known.clear()

    def of(self, entry: Entry) -> Ready | None:
        """The (address, name) of each endpoint that may be chosen now; None without a Service."""
        target = entry["dst"]
        service = target.get("service")
        if service is None:
            return None
        name = service["namespace"], service["name"]
        local = name in self._local
        if name in self._local_outside and entry["src"]["kind"] in _OUTSIDE:
            local = target["ip"] not in self._local_outside[name]
        key = (*name, entry["node_name"], local, ":" in target["ip"])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._find(key)
        return found

    def _forget(self, service: _Name) -> None:
        for key in [key for key in self._known if key[:2] == service]:
            del self._known[key]

    def _find(self, key: _Key) -> Ready:
        namespace, name, node, local, is_v6 = key
        address_type = "IPv6" if is_v6 else "IPv4"
        endpoints = [
            endpoint
            for each in self._slices.get((namespace, name), {}).values()
            if each.get("addressType", address_type) == address_type
            for endpoint in each.get("endpoints") or ()
        ]
        if local:
            endpoints = [each for each in endpoints if each.get("nodeName") == node]
            usable = _usable(endpoints)
        else:
            usable = _near(_usable(endpoints), node, self._zones.get(node, ""))
        return frozenset(
            # Of several addresses only the first is ever used (API reference of EndpointSlice).
            (endpoint["addresses"][0], _name_of(endpoint) or endpoint["addresses"][0])
            for endpoint in usable
        )


def is_ready(endpoint: Object) -> bool:
    """Unknown means ready (the API's documentation of EndpointConditions)."""
    return _condition(endpoint, "ready") is not False


def is_terminating(endpoint: Object) -> bool:
    """Whether its Pod is being deleted."""
    return _condition(endpoint, "terminating") is True


def _usable(endpoints: list[Object]) -> list[Object]:
    """The ready ones; without any, those that still serve while they terminate."""
    return [each for each in endpoints if is_ready(each) and not is_terminating(each)] or [
        each
        for each in endpoints
        if _condition(each, "serving") is not False and is_terminating(each)
    ]


def _near(endpoints: list[Object], node: str, zone: str) -> list[Object]:
    """Those that hints mean for this node or else its zone; all, unless all have such hints."""
    for kind, name in (("forNodes", node), ("forZones", zone)):
        hints = [_hinted(each, kind) for each in endpoints]
        if name and all(hints):
            here = [each for each, names in zip(endpoints, hints, strict=True) if name in names]
            if here:
                return here
    return endpoints


def _hinted(endpoint: Object, kind: str) -> set[str]:
    return {hint["name"] for hint in (endpoint.get("hints") or {}).get(kind) or ()}


def _condition(endpoint: Object, name: str) -> bool | None:
    value: bool | None = (endpoint.get("conditions") or {}).get(name)
    return value


def _name_of(endpoint: Object) -> str:
    """The Pod's name, or that of the node where something else answers."""
    name: str = (endpoint.get("targetRef") or {}).get("name") or endpoint.get("nodeName") or ""
    return name
