"""Programming many Services into the kernel, beside the layout that kube-proxy writes.

kube-proxy in nftables mode makes a chain for each Service, with a map of its endpoints inside, and
loads it with the nft program. That ruleset is generated and loaded here, leaving out its chain per
endpoint, which costs several times more. Both run in an empty network namespace of their own.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.measure import Report, Row, milliseconds, percentile

SIZES = (1_000, 10_000, 30_000)
ENDPOINTS = 10
CHANGES = 200
# Loading chains costs more than linearly: at 30,000 Services it would take minutes.
PEER_SIZES = (1_000, 10_000)
PEER_CHANGES = 5
_NAMESPACE = "pf-bench-proxy"


def run() -> Report:
    """Measure all sizes, each in a process of its own."""
    report = Report(f"Services × {ENDPOINTS} endpoints into the kernel")
    ours = {size: _in_process(_measure, size) for size in SIZES}
    peers = {size: _in_process(_measure_peer, size) for size in PEER_SIZES}
    for size in SIZES:
        one, peer = ours[size], peers.get(size)
        total_s = one["python_s"] + one["kernel_s"]
        report.rows.append(
            Row(
                f"{size:,} Services, all of it",
                f"{milliseconds(total_s)} (kernel {milliseconds(one['kernel_s'])})",
                f"chain per Service: {milliseconds(peer['load_s'])}" if peer else "",
                total_s / peer["load_s"] if peer else None,
                "a tenth" if peer else "",
            )
        )
        report.rows.append(
            Row(
                f"{size:,} Services, one endpoint changed",
                f"p50 {milliseconds(one['p50_s'])}, p99 {milliseconds(one['p99_s'])}",
                f"chain per Service: {milliseconds(peer['change_s'])}" if peer else "",
                one["p50_s"] / peer["change_s"] if peer else None,
                "5 ms" if size == 10_000 else "",
            )
        )
    memory = ", ".join(f"{size:,}: {ours[size]['rss'] / 1e6:.0f} MB" for size in SIZES)
    report.notes.append(
        "From the objects of the API to the kernel's acknowledgement; the Python part works out "
        "what is wanted and encodes it. A change alternates between 10 and 11 endpoints of one "
        f"Service. Resident memory of the process with all objects and tables: {memory}."
    )
    report.notes.append(_plot(ours, peers))
    return report


def _plot(ours: dict[int, dict[str, float]], peers: dict[int, dict[str, float]]) -> str:
    """Times to load, as bars on one scale."""
    times = [
        (f"{size:>6,} pilotfish        ", one["python_s"] + one["kernel_s"])
        for size, one in ours.items()
    ] + [(f"{size:>6,} chain per Service", peer["load_s"]) for size, peer in peers.items()]
    longest = max(time_s for _, time_s in times)
    bars = [
        f"{label} {'█' * max(1, round(60 * time_s / longest))} {milliseconds(time_s)}"
        for label, time_s in times
    ]
    return "\n".join(["```", *bars, "```"])


def _in_process(measure: Callable[[int], dict[str, float]], size: int) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_report_to, args=(sender, measure, size))
    process.start()
    sender.close()
    try:
        found: dict[str, float] = receiver.recv()
    except EOFError:
        raise SystemExit(f"the measurement of {size} Services failed; see above") from None
    finally:
        process.join()
    return found


def _report_to(sender: Connection, measure: Callable[[int], dict[str, float]], size: int) -> None:
    from pilotfish.network import namespaces

    name = f"{_NAMESPACE}-{os.getpid()}"
    namespaces.create(name)
    try:
        namespaces.enter(name)
        sender.send(measure(size))
    finally:
        namespaces.delete(name)


def _measure(size: int) -> dict[str, float]:
    """Pilotfish's tables: times in seconds, memory in bytes."""
    from pilotfish.proxy import services
    from pilotfish.proxy.family import IPV4
    from pilotfish.proxy.kernel import KernelTables
    from pilotfish.proxy.nfnetlink import NetfilterSocket, Request
    from pilotfish.proxy.services import NodeFacts
    from pilotfish.proxy.tables import Tables

    kernel_s = 0.0

    class Timed(NetfilterSocket):
        def transact(self, family: int, requests: list[Request]) -> None:  # type: ignore[override]
            nonlocal kernel_s
            began = time.perf_counter()
            super().transact(family, requests)
            kernel_s += time.perf_counter() - began

    facts = NodeFacts("node-1", ("192.168.64.2",), ("10.244.0.0/24",))
    objects = {f"default/web-{n}": (_service(n), [_slice(n, ENDPOINTS)]) for n in range(size)}
    tables, kernel = Tables(), KernelTables(Timed(), IPV4)
    gc.collect()
    gc.disable()  # as the proxy does for many Services at a time
    began = time.perf_counter()
    wanted = {key: services.wanted(*made, facts, IPV4) for key, made in objects.items()}
    tables.change(wanted, services.own_ranges(facts, IPV4), ("10.96.0.0/12",))
    kernel.replace(tables.everything())
    total_s = time.perf_counter() - began
    loaded_kernel_s = kernel_s
    gc.enable()
    changes = []
    middle = size // 2
    for number in range(CHANGES):
        slices = [_slice(middle, ENDPOINTS + 1 - number % 2)]
        began = time.perf_counter()
        wanted = {f"default/web-{middle}": services.wanted(_service(middle), slices, facts, IPV4)}
        kernel.apply(tables.change(wanted))
        changes.append(time.perf_counter() - began)
    return {
        "python_s": total_s - loaded_kernel_s,
        "kernel_s": loaded_kernel_s,
        # The first change makes the chain for 11 endpoints, which then stays.
        "p50_s": percentile(changes[1:], 0.5),
        "p99_s": percentile(changes[1:], 0.99),
        "rss": _resident_bytes(),
    }


def _resident_bytes() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status does not say VmRSS")


def _measure_peer(size: int) -> dict[str, float]:
    """The chain-per-Service ruleset, loaded and changed by the nft program."""
    began = time.perf_counter()
    _nft("\n".join(_peer_ruleset(size)))
    load_s = time.perf_counter() - began
    changes = []
    for number in range(PEER_CHANGES):
        rule = _peer_rule(size // 2, ENDPOINTS - number % 2)
        began = time.perf_counter()
        _nft(
            f"flush chain ip kube-proxy service-{size // 2}\n"
            f"add rule ip kube-proxy service-{size // 2} {rule}"
        )
        changes.append(time.perf_counter() - began)
    return {"load_s": load_s, "change_s": percentile(changes, 0.5)}


def _nft(ruleset: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=ruleset, text=True, check=True)


def _peer_ruleset(size: int) -> Iterator[str]:
    yield "table ip kube-proxy {"
    for number in range(size):
        yield f"chain service-{number} {{ {_peer_rule(number, ENDPOINTS)}; }}"
    yield "map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; elements = {"
    for number in range(size):
        yield f"{_address(number)} . tcp . 80 : goto service-{number},"
    yield "} }"
    yield "chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }"
    yield "chain prerouting { type nat hook prerouting priority -100; jump services; }"
    yield "chain output { type nat hook output priority -100; jump services; }"
    yield "}"


def _peer_rule(number: int, endpoints: int) -> str:
    slots = ", ".join(f"{n} : {_endpoint(number, n)} . 8080" for n in range(endpoints))
    target = f"numgen random mod {endpoints} map {{ {slots} }}"
    return f"meta l4proto tcp dnat ip addr . port to {target}"


def _service(number: int) -> dict[str, Any]:
    address = _address(number)
    return {
        "metadata": {"name": f"web-{number}", "namespace": "default"},
        "spec": {
            "clusterIP": address,
            "clusterIPs": [address],
            "ports": [{"port": 80, "protocol": "TCP"}],
        },
    }


def _slice(number: int, endpoints: int) -> dict[str, Any]:
    conditions = {"ready": True, "serving": True, "terminating": False}
    return {
        "addressType": "IPv4",
        "ports": [{"port": 8080, "protocol": "TCP"}],
        "endpoints": [
            {
                "addresses": [_endpoint(number, n)],
                "nodeName": f"node-{n % 2 + 1}",
                "conditions": conditions,
            }
            for n in range(endpoints)
        ],
    }


def _address(number: int) -> str:
    return f"10.96.{number // 256}.{number % 256}"


def _endpoint(service: int, number: int) -> str:
    pod = (service * ENDPOINTS + number) % 60_000
    return f"10.244.{pod // 250}.{pod % 250 + 1}"
