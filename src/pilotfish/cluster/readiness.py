"""Is the cluster up? Asked the way a user would: API, nodes, a ClusterIP, the cluster's DNS.

A cluster is ready when its Services answer: the API server through its own ClusterIP, that is
through the kernel tables of a node, and a name through the ClusterIP of the DNS.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING, Any

from pilotfish.client.log_lines import sentence_of
from pilotfish.cluster import control, marks, pki
from pilotfish.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilotfish.cluster.state import ClusterState

_POLL_S = 0.01
_DNS_PORT = 53
_ATTEMPT_TIMEOUT_S = 0.5
_SUPERVISOR_CHECK_S = 0.25
# A component that died this often in a start-up will not come up by itself.
_RESTARTS_TOLERATED = 3


class Readiness:
    """Waits for one cluster, step by step, until a deadline common to all steps."""

    def __init__(self, cluster: ClusterState, timeout_s: float) -> None:
        self._cluster = cluster
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._next_supervisor_check = 0.0
        self._api: http.client.HTTPSConnection | None = None
        self._tls = admin_tls(cluster)

    def wait_for_processes(self) -> None:
        """Until every component's process runs.

        A node that died a moment ago still counts as Ready: its lease has not run out.
        """
        folders = self._cluster.folders
        for name in self._cluster.components:
            self._wait(name, lambda name=name: marks.noted(folders, name) is not None)  # type: ignore[misc]

    def wait_for_api(self) -> None:
        """Until the API server says that it is ready."""
        self._wait("the API server", lambda: self._get("/readyz") is not None)

    def wait_for_nodes(self) -> None:
        """Until every node is Ready and the default ServiceAccount, which Pods need, exists."""
        self._wait("the nodes", self._nodes_ready)
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self._wait("the default ServiceAccount", lambda: self._get(account) is not None)

    def wait_for_services(self) -> None:
        """Until the API server answers through its ClusterIP."""
        address = self._cluster.api_service_address

        def answers() -> bool:
            connection = http.client.HTTPSConnection(
                address, 443, timeout=_ATTEMPT_TIMEOUT_S, context=self._tls
            )
            with contextlib.closing(connection):
                return _request(connection, "/readyz") is not None

        self._wait(f"the ClusterIP {address}", answers)

    def wait_for_dns(self) -> None:
        """Until the cluster's DNS knows Service `kubernetes`."""
        name = f"kubernetes.default.svc.{self._cluster.domain}"
        address = self._cluster.dns_address
        wanted = self._cluster.api_service_address
        self._wait(f"the DNS at {address}", lambda: wanted in resolve(address, name))

    def _nodes_ready(self) -> bool:
        conditions = _conditions(self._get("/api/v1/nodes"))
        return all(conditions.get(node.name) == "Ready" for node in self._cluster.nodes)

    def _get(self, path: str) -> dict[str, Any] | None:
        if self._api is None:
            self._api = http.client.HTTPSConnection(
                "127.0.0.1",
                self._cluster.api_port,
                timeout=_ATTEMPT_TIMEOUT_S,
                context=self._tls,
            )
        answer = _request(self._api, path)
        if answer is None:
            self._api.close()
            self._api = None
        return answer

    def _wait(self, what: str, attempt: Callable[[], bool]) -> None:
        while not attempt():
            if time.monotonic() > self._deadline:
                raise ClusterError(
                    f"{what} did not answer within {self._timeout_s:.0f} s",
                    f"cluster {self._cluster.name!r}",
                    f"look at: pilotfish status --name {self._cluster.name} and pilotfish logs "
                    f"--name {self._cluster.name}; start over with: pilotfish down --name "
                    f"{self._cluster.name}",
                )
            self._check_supervisor()
            time.sleep(_POLL_S)

    def _check_supervisor(self) -> None:
        """Raise as soon as it is plain that waiting is in vain."""
        now = time.monotonic()
        if now < self._next_supervisor_check:
            return
        self._next_supervisor_check = now + _SUPERVISOR_CHECK_S
        status = control.status(self._cluster.folders.control_socket)
        for component in status["components"] if status else []:
            if component["restarts"] >= _RESTARTS_TOLERATED:
                name = component["name"]
                raise ClusterError(
                    f"{name} does not stay up ({component['last_exit']}): "
                    f"{_last_error(self._cluster, name)}",
                    str(self._cluster.folders.log(name)),
                    f"see the whole log with: pilotfish logs {name} --name {self._cluster.name}; "
                    f"remove the cluster with: pilotfish down --name {self._cluster.name}",
                )


def node_conditions(cluster: ClusterState) -> dict[str, str]:
    """Node name → "Ready" or "NotReady", as the API server says now; {} when it does not answer."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", cluster.api_port, timeout=_ATTEMPT_TIMEOUT_S, context=admin_tls(cluster)
    )
    with contextlib.closing(connection):
        return _conditions(_request(connection, "/api/v1/nodes"))


def _conditions(nodes: dict[str, Any] | None) -> dict[str, str]:
    return {
        node["metadata"]["name"]: "Ready" if condition["status"] == "True" else "NotReady"
        for node in (nodes or {}).get("items", [])
        for condition in node.get("status", {}).get("conditions", [])
        if condition.get("type") == "Ready"
    }


def admin_tls(cluster: ClusterState) -> ssl.SSLContext:
    """TLS settings of the cluster's administrator."""
    folder = cluster.folders.pki
    context = ssl.create_default_context(cafile=str(pki.cert_file(folder, "ca")))
    stem = pki.ADMIN.stem
    context.load_cert_chain(pki.cert_file(folder, stem), pki.key_file(folder, stem))
    return context


def _request(connection: http.client.HTTPSConnection, path: str) -> dict[str, Any] | None:
    """GET: the decoded body (an empty object for a body that is not JSON), None if not 200."""
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None  # Not up yet, which is what the caller waits for.
    if response.status != http.client.OK:
        return None
    try:
        decoded: dict[str, Any] = json.loads(body)
    except ValueError:
        return {}
    return decoded


def resolve(server: str, name: str) -> list[str]:
    """The addresses of `name`, [] when the DNS server does not answer (RFC 1035 §4).

    Of the server's own family: A records, or AAAA (RFC 3596).
    """
    family, wanted = (socket.AF_INET6, 28) if ":" in server else (socket.AF_INET, 1)
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">xHH", wanted, 1)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.1)
            udp.connect((server, _DNS_PORT))
            udp.send(query)
            answer = udp.recv(4096)
    except OSError:
        return []
    found = []
    position = len(query)
    for _ in range(struct.unpack_from(">H", answer, 6)[0]):
        position = _after_name(answer, position)
        kind, _, _, length = struct.unpack_from(">HHIH", answer, position)
        position += 10
        if kind == wanted:
            found.append(socket.inet_ntop(family, answer[position : position + length]))
        position += length
    return found


def _after_name(message: bytes, position: int) -> int:
    while message[position]:
        if message[position] & 0xC0 == 0xC0:  # RFC 1035 §4.1.4: a pointer ends the name
            return position + 2
        position += message[position] + 1
    return position + 1


def _last_error(cluster: ClusterState, component: str) -> str:
    """The last line of a component's log: after a failure, that is the error itself."""
    try:
        lines = cluster.folders.log(component).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "it wrote no log"
    last = next((line.strip() for line in reversed(lines) if line.strip()), "its log is empty")
    return sentence_of(last)
