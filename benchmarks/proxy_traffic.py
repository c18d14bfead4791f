"""What a Service costs a request: straight to the Pod, ClusterIP, NodePort, and through HAProxy.

A node in network namespaces of its own, with two Pods: a client and a server (HAProxy that answers
by itself, so that the server is no limit of ours). HAProxy in TCP mode runs in a third Pod. Rounds
alternate between the ways, in one order and the other, so that a slow moment of the machine hits
all of them.

Ten thousand new connections a second use up the client's ports within seconds: from then on each
waits for a connection in TIME_WAIT, in the sockets' tables and in conntrack, and it is that which
is measured, worse for whichever way comes later. So nothing here remembers closed connections.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.measure import Report, Row, milliseconds
from pilotfish.network import links, namespaces, naming, node_link, pod_link
from pilotfish.network.netlink import Netlink
from pilotfish.network.node_link import ClusterNetwork, NodeNetwork
from pilotfish.proxy.family import IPV4
from pilotfish.proxy.fronts import Balance, Endpoint, Front, Wanted
from pilotfish.proxy.kernel import KernelTables
from pilotfish.proxy.nfnetlink import NetfilterSocket
from pilotfish.proxy.tables import Tables

ROUNDS = 7
ROUND_S = 1
CONNECTIONS = 16
SET_UPS = 2_000
FAIR_CONNECTIONS = 10_000
FAIR_ENDPOINTS = 5

_CLUSTER = "bproxy"
_HOST = f"pf-{_CLUSTER}-host"
_NETWORK = ClusterNetwork(_CLUSTER, "192.168.64.0/24", "10.244.0.0/16", "10.96.0.0/12")
_NODE = NodeNetwork("node-1", "192.168.64.2", "10.244.0.0/24")
_NODE_NAMESPACE = f"pf-{_CLUSTER}-node-1"
_CLIENT, _SERVER, _HAPROXY = "10.244.0.2", "10.244.0.3", "10.244.0.4"
_FAIR = tuple(f"10.244.0.{number}" for number in range(10, 10 + FAIR_ENDPOINTS))
_WAYS = {
    "Pod IP": (_SERVER, 8080),
    "ClusterIP": ("10.96.0.7", 80),
    "NodePort": (_NODE.address, 30080),
    "HAProxy, TCP mode": (_HAPROXY, 8080),
}
# The server's port behind each Service. Ways that share one clash in conntrack: the client's port
# is taken by a connection that closed a moment ago, and NAT has to look for another.
_BEHIND = {"ClusterIP": 8081, "NodePort": 8082, "HAProxy, TCP mode": 8083}
_THROUGHPUT = {
    "Pod IP": (_SERVER, 5201),
    "ClusterIP": ("10.96.0.7", 81),
    "NodePort": (_NODE.address, 30081),
    "HAProxy, TCP mode": (_HAPROXY, 5201),
}


def run() -> Report:
    """Measure requests, new connections and throughput each way, then fairness."""
    for program in ("wrk", "haproxy", "iperf3"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed; on Debian: apt-get install {program}")
    report = Report("What a Service costs a request")
    with _node(), _servers(), _tables() as tables:
        requests: dict[str, list[float]] = {way: [] for way in _WAYS}
        new: dict[str, list[float]] = {way: [] for way in _WAYS}
        for number in range(ROUNDS):
            ways = list(_WAYS.items())
            for way, (address, port) in reversed(ways) if number % 2 else ways:
                requests[way].append(_wrk(address, port))
                new[way].append(_wrk(address, port, "-H", "Connection: close"))
        rates: dict[str, list[float]] = {way: [] for way in _WAYS}
        for _ in range(ROUNDS):
            for way, (address, port) in _THROUGHPUT.items():
                rates[way].append(_iperf(address, port))
        set_up = _set_up_s()
        direct = "Pod IP"
        for way in _WAYS:
            for what, found, shape in (
                ("requests on kept connections", requests, "{:,.0f}/s"),
                ("requests on new connections", new, "{:,.0f}/s"),
                ("throughput", rates, "{:.2f} Gbit/s"),
            ):
                mine, theirs = median(found[way]), median(found[direct])
                report.rows.append(
                    Row(
                        f"{way}: {what}",
                        shape.format(mine),
                        "" if way == direct else f"Pod IP: {shape.format(theirs)}",
                        None if way == direct else _paired(found[way], found[direct]),
                        "1" if way in ("ClusterIP", "NodePort") else "",
                    )
                )
            report.rows.append(
                Row(
                    f"{way}: connection set-up, p50",
                    milliseconds(set_up[way]),
                    "" if way == direct else f"Pod IP: {milliseconds(set_up[direct])}",
                    None if way == direct else set_up[way] / set_up[direct],
                )
            )
        report.rows.append(_fairness(tables))
    report.notes.append(
        f"Medians of {ROUNDS} rounds of {ROUND_S} s, {CONNECTIONS} connections at a time, client "
        "and server on the same machine; ratios are medians of those within each round. Within a "
        "few percent of 1, the difference is noise. "
        f"Fairness: chi-square with {FAIR_ENDPOINTS - 1} degrees of freedom; fair choices exceed "
        "13.3 once in 100 runs."
    )
    return report


def _paired(mine: list[float], theirs: list[float]) -> float:
    """The ratio within a round, in half of the rounds or more: rounds differ more than the ways."""
    return median(one / other for one, other in zip(mine, theirs, strict=True))


def _fairness(tables: _InstalledTables) -> Row:
    fair = Front("10.96.0.8", "tcp", 80)
    tables.want({fair: Balance(tuple(Endpoint(address, 9000) for address in _FAIR))})
    counts: Counter[bytes] = Counter()
    for _ in range(FAIR_CONNECTIONS):
        with _connect(fair.address, fair.port) as connection:
            counts[connection.recv(20)] += 1
    share = FAIR_CONNECTIONS / FAIR_ENDPOINTS
    chi_square = sum((counts[a.encode()] - share) ** 2 / share for a in _FAIR)
    figures = ", ".join(str(counts[address.encode()]) for address in _FAIR)
    return Row(
        f"{FAIR_CONNECTIONS:,} connections over {FAIR_ENDPOINTS} endpoints",
        f"chi-square {chi_square:.1f} ({figures})",
        goal="below 13.3",
    )


def _wrk(address: str, port: int, *options: str) -> float:
    """Requests a second from the client Pod."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{ROUND_S}s", *options]
    found = _in_client([*command, f"http://{address}:{port}/"])
    rate = re.search(r"Requests/sec:\s+([\d.]+)", found)
    if rate is None:
        raise SystemExit(f"wrk said nothing of a rate: {found}")
    return float(rate[1])


def _iperf(address: str, port: int) -> float:
    """Gbit/s from the client Pod."""
    command = ["iperf3", "-c", address, "-p", str(port), "-t", str(ROUND_S), "-f", "g"]
    found = _in_client(command)
    rate = re.search(r"([\d.]+) Gbits/sec\s+receiver", found)
    if rate is None:
        raise SystemExit(f"iperf3 said nothing of a rate: {found}")
    return float(rate[1])


def _in_client(command: list[str]) -> str:
    prefix = ["ip", "netns", "exec", _pod(_CLIENT)]
    return subprocess.run([*prefix, *command], capture_output=True, text=True, check=True).stdout


def _set_up_s() -> dict[str, float]:
    """How long connect() takes each way, half of the time or less; the ways take turns."""
    taken: dict[str, list[float]] = {way: [] for way in _WAYS}
    with namespaces.inside(_pod(_CLIENT)):
        for _ in range(SET_UPS):
            for way, at in _WAYS.items():
                with socket.socket() as opened:
                    opened.settimeout(5)
                    began = time.perf_counter()
                    opened.connect(at)
                    taken[way].append(time.perf_counter() - began)
    return {way: median(found) for way, found in taken.items()}


def _connect(address: str, port: int) -> socket.socket:
    with namespaces.inside(_pod(_CLIENT)):
        opened = socket.socket()
    opened.settimeout(5)
    opened.connect((address, port))
    return opened


def _pod(address: str) -> str:
    uid = f"{int(address.rpartition('.')[2]):012x}"
    return naming.pod_namespace(_CLUSTER, uid)


@contextlib.contextmanager
def _node() -> Iterator[None]:
    """One node with its Pods, in a host namespace of its own."""
    namespaces.create(_HOST)
    try:
        with Netlink(_HOST) as netlink:
            links.set_up(netlink, "lo")
        with namespaces.inside(_HOST):
            node_link.create_bridge(_NETWORK)
            node_link.create_node(_NETWORK, _NODE)
            node_link.set_routes(_NETWORK, [_NODE])
        with namespaces.inside(_NODE_NAMESPACE):
            for address in (_CLIENT, _SERVER, _HAPROXY, *_FAIR):
                pod_link.create(_pod(address), f"veth{address.rpartition('.')[2]}", [address])
            namespaces.sysctl("netfilter/nf_conntrack_tcp_timeout_time_wait", 1)
        for address in (_CLIENT, _SERVER, _HAPROXY):
            with namespaces.inside(_pod(address)):
                namespaces.sysctl("ipv4/tcp_max_tw_buckets", 0)
                namespaces.sysctl("ipv4/ip_local_port_range", "1024 65535")
        yield
    finally:
        with namespaces.inside(_HOST):
            node_link.remove_cluster(_NETWORK)
        namespaces.delete(_HOST)


@contextlib.contextmanager
def _servers() -> Iterator[None]:
    """HAProxy that answers, HAProxy that passes on, iperf3, and a server in each fair Pod."""
    binds = "".join(f"  bind :{port}\n" for port in (8080, *_BEHIND.values()))
    reply = "http-request return status 200 content-type text/plain string ok"
    answering = f"frontend web\n  mode http\n{binds}  {reply}"
    passing = "\n".join(
        f"listen port{port}\n  mode tcp\n  bind :{port}\n  server pod {_SERVER}:{behind}"
        for port, behind in ((8080, _BEHIND["HAProxy, TCP mode"]), (5201, 5201))
    )
    limits = "defaults\n  timeout client 30s\n  timeout server 30s\n  timeout connect 5s\n"
    processes: list[subprocess.Popen[bytes]] = []
    sockets = []
    with tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as folder:
        try:
            for address, config in ((_SERVER, answering), (_HAPROXY, passing)):
                path = Path(folder) / f"{address}.cfg"
                path.write_text(f"{limits}{config}\n")
                processes.append(_start(address, ["haproxy", "-db", "-f", str(path)]))
            processes.append(_start(_SERVER, ["iperf3", "-s"]))
            for address in _FAIR:
                with namespaces.inside(_pod(address)):
                    server = socket.create_server(("", 9000), backlog=1024)
                sockets.append(server)
                threading.Thread(target=_say, args=(server, address), daemon=True).start()
            for address, port in ((_SERVER, 8080), (_SERVER, 5201), (_HAPROXY, 8080)):
                _await_listening(address, port)
            yield
        finally:
            for process in processes:
                process.kill()
                process.wait()
            for server in sockets:
                server.close()


def _start(address: str, command: list[str]) -> subprocess.Popen[bytes]:
    prefix = ["ip", "netns", "exec", _pod(address)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*prefix, *command], stdout=quiet, stderr=quiet)


def _say(server: socket.socket, text: str) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return  # the measurement is over
        with connection:
            connection.sendall(text.encode())


def _await_listening(address: str, port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            _connect(address, port).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing listens on {address}:{port}") from None
            time.sleep(0.02)


class _InstalledTables:
    """The node's tables, with Services of the measurement."""

    def __init__(self) -> None:
        with namespaces.inside(_NODE_NAMESPACE):
            self._netfilter = NetfilterSocket()
        self._kernel = KernelTables(self._netfilter, IPV4)
        self._tables = Tables()
        own = (_NODE.pod_cidr, f"{_NODE.address}/32")
        self._tables.change({}, own, (_NETWORK.service_range,))
        self._kernel.replace(self._tables.everything())

    def want(self, fronts: dict[Front, Balance]) -> None:
        self._kernel.apply(self._tables.change({str(front): Wanted({front: target})
                                                for front, target in fronts.items()}))  # fmt: skip

    def close(self) -> None:
        self._netfilter.close()


@contextlib.contextmanager
def _tables() -> Iterator[_InstalledTables]:
    installed = _InstalledTables()
    fronts = {}
    for way in ("ClusterIP", "NodePort"):
        for (address, port), behind in ((_WAYS[way], _BEHIND[way]), (_THROUGHPUT[way], 5201)):
            fronts[Front(address, "tcp", port)] = Balance((Endpoint(_SERVER, behind),))
    installed.want(fronts)
    try:
        yield installed
    finally:
        installed.close()
