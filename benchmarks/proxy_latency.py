"""From the write of an EndpointSlice to the kernel: how old may what the kernel does be?

The clock starts when the request is sent, and stops when the node's map has the new endpoint. On
the way: the API server, its store, a watch, the proxy's informer, the transaction. While others
of the same node's Services stay as they are.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.cluster import NAME, cluster
from benchmarks.measure import Report, Row, milliseconds, percentile

CHANGES = 300
_POLL_S = 0.0002
_ADDRESSES = ("192.0.2.1", "192.0.2.2")


def run() -> Report:
    """Change one endpoint again and again."""
    report = Report("An endpoint changes: from the API write to the kernel")
    with cluster():
        delays_s = asyncio.run(_measure())
    report.rows += [
        Row(
            f"request sent to kernel, p50 ({CHANGES} changes)",
            milliseconds(percentile(delays_s, 0.5)),
        ),
        Row("p99", milliseconds(percentile(delays_s, 0.99))),
        Row("longest", milliseconds(max(delays_s))),
    ]
    report.notes.append(
        f"The kernel's map is read every {_POLL_S * 1e3:g} ms, which is part of the figures."
    )
    return report


async def _measure() -> list[float]:
    from pilotfish.cluster import pki, state
    from pilotfish.cluster.components import client_for
    from pilotfish.network import namespaces, naming
    from pilotfish.proxy.family import IPV4
    from pilotfish.proxy.fronts import Endpoint
    from pilotfish.proxy.kernel import KernelTables
    from pilotfish.proxy.nfnetlink import NetfilterSocket

    found = state.require(NAME)
    with namespaces.inside(naming.node_namespace(NAME, "node-1")):
        netfilter = NetfilterSocket()
    kernel = KernelTables(netfilter, IPV4)
    delays_s = []
    async with client_for(found, pki.ADMIN, found.local_server) as client:
        service = await client.create("services", _service())
        key = (service["spec"]["clusterIP"], "tcp", 80, 0)
        made = await client.create("endpointslices.discovery.k8s.io", _slice(_ADDRESSES[1]))
        for number in range(CHANGES):
            address = _ADDRESSES[number % 2]
            changed = _slice(address)
            changed["metadata"] |= {"resourceVersion": made["metadata"]["resourceVersion"]}
            began = time.perf_counter()
            write = asyncio.create_task(client.update("endpointslices.discovery.k8s.io", changed))
            while dict(kernel.read("endpoints")).get(key) != Endpoint(address, 8080):  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)  # the kernel wakes nobody
            delays_s.append(time.perf_counter() - began)
            made = await write
    netfilter.close()
    return delays_s


def _service() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "latency", "namespace": "default"},
        "spec": {"ports": [{"port": 80, "targetPort": 8080}]},
    }


def _slice(address: str) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "latency-1",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "latency"},
        },
        "addressType": "IPv4",
        "ports": [{"port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
    }
