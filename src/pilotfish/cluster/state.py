"""What is written down about a cluster: cluster.json, and the lock that guards its changes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
from dataclasses import asdict, dataclass, fields
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from pilotfish.cluster import paths
from pilotfish.cluster.errors import EXIT_UNKNOWN, ClusterError
from pilotfish.cluster.paths import CONTROL_PLANE, Folders
from pilotfish.network.node_link import ClusterNetwork, NodeNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

# On the bridge no other program listens, so every cluster has the usual port there.
BRIDGE_API_PORT = 6443


@dataclass(frozen=True)
class ClusterState:
    """cluster.json: everything that a component needs to know to take its place."""

    name: str
    domain: str
    node_network: str
    pod_network: str
    service_network: str
    api_port: int
    nodes: tuple[NodeNetwork, ...]
    created: str
    # Every file that got this cluster's context, so that `down` finds them without $KUBECONFIG.
    kubeconfigs: tuple[str, ...] = ()
    # The ranges of the other address family in a dual-stack cluster, else "".
    second_node_network: str = ""
    second_pod_network: str = ""
    second_service_network: str = ""
    # Files of the user's, where the API server writes its audit log and reads static tokens; or "".
    audit_log: str = ""
    token_file: str = ""
    # How its processes write their logs: "text" or "json".
    log_format: str = "text"
    # The address of the etcd that keeps the cluster's objects; "" for a file of this machine's.
    store: str = ""
    # By what name this machine runs the cluster, where the store is one that another could reach.
    owner: str = ""
    # Paths of the machine that Pods of image `host` may ask for.
    allowed_host_paths: tuple[str, ...] = ()

    @property
    def folders(self) -> Folders:
        """Where this cluster keeps things."""
        return Folders(self.name)

    @property
    def network(self) -> ClusterNetwork:
        """What the network layer needs to make or remove this cluster's wires."""
        return ClusterNetwork(
            self.name,
            self.node_network,
            self.pod_network,
            self.service_network,
            self.second_node_network,
            self.second_pod_network,
            self.second_service_network,
        )

    @property
    def ranges(self) -> list[str]:
        """All its ranges: of nodes, Pods and Services, of each family."""
        network = self.network
        return [*network.node_ranges, *network.ranges]

    @property
    def ip_family(self) -> str:
        """ "ipv4", "ipv6" or "dual"."""
        if self.second_node_network:
            return "dual"
        return f"ipv{ip_network(self.node_network).version}"

    @property
    def components(self) -> list[str]:
        """The names of the processes under the supervisor."""
        return [CONTROL_PLANE, *(node.name for node in self.nodes)]

    @property
    def host_address(self) -> str:
        """The bridge's address: the user's machine, as the cluster sees it."""
        return self.network.host_address

    @property
    def local_server(self) -> str:
        """The API server's address for programs of this machine."""
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def bridge_server(self) -> str:
        """The API server's address for the nodes."""
        return f"https://{url_host(self.host_address)}:{BRIDGE_API_PORT}"

    @property
    def api_service_address(self) -> str:
        """The ClusterIP of Service `kubernetes`: the first of the range."""
        return str(ip_network(self.service_network)[1])

    @property
    def dns_address(self) -> str:
        """The ClusterIP of Service `kube-dns`: the tenth of the range, as kubeadm has it."""
        return str(ip_network(self.service_network)[10])

    @property
    def load_balancer_pools(self) -> tuple[tuple[str, str], ...]:
        """First and last address that Services of type LoadBalancer get, of each family."""
        networks = [ip_network(prefix) for prefix in self.network.node_ranges]
        return tuple((str(network[200]), str(network[250])) for network in networks)

    def node(self, name: str) -> NodeNetwork:
        """The node called `name`. Raises KeyError."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)


def url_host(address: str) -> str:
    """An address as URLs have it: IPv6 in brackets (RFC 3986 section 3.2.2)."""
    return f"[{address}]" if ip_address(address).version == 6 else address


def load(name: str) -> ClusterState | None:
    """The cluster's state, or None when there is no such cluster."""
    path = Folders(name).state_file
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        nodes = tuple(NodeNetwork(**_known(NodeNetwork, node)) for node in content.pop("nodes"))
        kubeconfigs = tuple(content.pop("kubeconfigs"))
        allowed = tuple(content.pop("allowed_host_paths", ()))
        known = _known(ClusterState, content)
        return ClusterState(
            nodes=nodes, kubeconfigs=kubeconfigs, allowed_host_paths=allowed, **known
        )
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise ClusterError(
            "the cluster's state file cannot be read",
            str(path),
            f"take the cluster down and up again: pilotfish down --name {name}",
        ) from error


def require(name: str) -> ClusterState:
    """The cluster's state. Raises ClusterError for an unknown name, listing those known."""
    state = load(name)
    if state is None:
        raise unknown(name)
    return state


def readable() -> list[ClusterState]:
    """The clusters of this machine, but those whose file is damaged."""
    found = []
    for name in names():
        try:
            state = load(name)
        except ClusterError as error:
            log.warning("cluster %s is passed over: %s", name, error)
            continue
        if state is not None:
            found.append(state)
    return found


def remains(name: str) -> ClusterState:
    """As `load`, but of an absent or damaged file whatever makes sense: enough to remove the rest.

    Nodes and ranges are not among it then.
    """
    path = Folders(name).state_file
    try:
        found = load(name)
        if found is not None:
            return found
        log.info("%s is not there; cluster %s is known by its name", path, name)
    except ClusterError:
        log.warning("%s cannot be read; cluster %s is known by its name", path, name)
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        content = {}
    files = content.get("kubeconfigs")
    kubeconfigs = tuple(str(file) for file in files) if isinstance(files, list) else ()
    return ClusterState(
        name=name,
        domain="",
        api_port=0,
        nodes=(),
        created="",
        store=str(content.get("store") or ""),
        kubeconfigs=kubeconfigs,
        node_network="",
        pod_network="",
        service_network="",
    )


def _known(kind: type[ClusterState | NodeNetwork], content: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that only a newer version knows."""
    names = {field.name for field in fields(kind)}
    return {key: value for key, value in content.items() if key in names}


def unknown(name: str) -> ClusterError:
    """The error for a name that no cluster has."""
    known = ", ".join(names()) or "none"
    return ClusterError(
        "no such cluster",
        f"{name!r} (clusters here: {known})",
        f"start it with: pilotfish up --name {name}",
        EXIT_UNKNOWN,
    )


def save(state: ClusterState) -> None:
    """Write cluster.json in one step."""
    path = state.folders.state_file
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(state), indent=2) + "\n")
    temporary.replace(path)


def names() -> list[str]:
    """The clusters of this machine, running or not."""
    if not paths.STATE_ROOT.is_dir():
        return []
    return sorted(path.parent.name for path in paths.STATE_ROOT.glob("*/cluster.json"))


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the cluster's lock: one `up` or `down` at a time. The kernel frees it on any death.

    The lock's file stays for as long as there is such a cluster.
    """
    paths.RUN_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    path = paths.RUN_ROOT / f"{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who removes a cluster removes the file too: then this may be a lock on nothing.
            if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
                raise BlockingIOError
        except BlockingIOError:
            raise ClusterError(
                "another pilotfish is working on this cluster",
                f"cluster {name!r}, lock {path}",
                "wait until it has finished and try again",
            ) from None
        try:
            yield
        finally:
            if not Folders(name).state_file.exists():
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def choosing() -> Iterator[None]:
    """Wait until no other `up` chooses, and keep others waiting.

    Held from the look at what is taken until cluster.json says what was chosen. Without it, two
    `up`s of different names could choose the same ranges and the same port.
    """
    descriptor = os.open(paths.RUN_ROOT, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
