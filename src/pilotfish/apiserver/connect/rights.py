"""The rights that a request through the proxy of a Node takes.

`nodes/proxy` reaches the kubelet, and whoever speaks to a kubelet is root in every Pod of its
node. So there is more to ask:

- What changes the protocol of its connection, and what runs something in a Pod, takes `create`
  on `nodes/proxy`, whatever its method: a WebSocket is opened by a GET.
- The tap and the proxy on a node have rights of their own instead, so that who views traffic
  needs nothing of a kubelet's. The resources are virtual: `watch entries.tap.pilotfish.dev`.

Source of the verbs: "Kubelet authentication/authorization" in the Kubernetes documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, unquote

from pilotfish.apiserver.connect.backends import PROXY_PORT, TAP_PORT, parse_proxy_name
from pilotfish.apiserver.connect.locations import target_path
from pilotfish.apiserver.connect.upgrade_head import wants_upgrade
from pilotfish.apiserver.errors import StatusError
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.objects.numbers import whole_number

TAP_GROUP: Final = "tap.pilotfish.dev"
PROXY_GROUP: Final = "proxy.pilotfish.dev"

ENTRIES: Final = Attributes("watch", TAP_GROUP, "entries")
# Packets hold whatever was sent: passwords too.
PACKETS: Final = Attributes("watch", TAP_GROUP, "packets")
STATUS: Final = Attributes("get", TAP_GROUP, "entries")
TABLES: Final = Attributes("get", PROXY_GROUP, "tables")

# The kubelet's paths that run something in a Pod, or reach into it.
_RUNNING: Final = frozenset({"run", "exec", "attach", "portforward", "cri"})


def rights_of(
    asked: Attributes, raw_path: str, raw_query: str, headers: Mapping[str, str]
) -> list[Attributes]:
    """Everything that a request through a Node's proxy takes.

    Args:
        asked: what it asks for by its method: a verb on `nodes/proxy`, and the Node's name as in
            the path, with scheme and port.
        raw_path: its path as it came, which goes on to the backend like that.
        raw_query: its query, likewise.
        headers: its headers.
    """
    path = target_path(raw_path, namespaced=False)
    match _port(asked.name):
        case port if port == TAP_PORT:
            return [_of_tap(path, raw_query)]
        case port if port == PROXY_PORT and path == "/v1/tables":
            return [TABLES]
    first = unquote(path).strip("/").partition("/")[0].lower()
    if wants_upgrade(headers) or first in _RUNNING:
        return [asked, asked._replace(verb="create")]
    return [asked]


def _of_tap(path: str, raw_query: str) -> Attributes:
    if path in ("/healthz", "/v1/status"):
        return STATUS
    # The tap may still read another path as one of its own: such a path takes the greater right.
    if path != "/v1/entries":
        return PACKETS
    redact = parse_qs(raw_query, keep_blank_values=True).get("redact", ["true"])
    return ENTRIES if all(value == "true" for value in redact) else PACKETS


def _port(name: str) -> int:
    """The port in `[scheme:]name[:port]`; 0 without one, and where it is no number."""
    try:
        port = parse_proxy_name(name, "node").port
    except StatusError:
        return 0  # which is refused as soon as it is known who asks
    return whole_number(port) or 0
