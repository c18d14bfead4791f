"""Services and EndpointSlices in the words of DNS tests, and queries about them."""

from __future__ import annotations

from typing import Any

import dns.message
import dns.rcode
import dns.rdatatype

from pilotfish.dns.answers import Answerer
from pilotfish.dns.compiler import Compiler

DOMAIN = "cluster.local"


def service(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def slice_of(
    name: str,
    endpoints: list[dict[str, Any]],
    ports: list[dict[str, Any]] | None = None,
    family: str = "IPv4",
    number: int = 1,
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{name}-{number}",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": family,
        "endpoints": endpoints,
        "ports": ports or [],
    }


def endpoint(*addresses: str, ready: bool | None = True, hostname: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"addresses": list(addresses), "conditions": {}}
    if ready is not None:
        found["conditions"]["ready"] = ready
    if hostname:
        found["hostname"] = hostname
    return found


def add_web(compiler: Compiler) -> None:
    ports = [
        {"name": "http", "port": 80, "protocol": "TCP"},
        {"name": "sip", "port": 5060, "protocol": "UDP"},
    ]
    compiler.set_service(
        service("web", clusterIP="10.96.3.4", clusterIPs=["10.96.3.4"], ports=ports), []
    )


def add_headless(compiler: Compiler, *endpoints: dict[str, Any], **spec: Any) -> None:
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    slices = [slice_of("db", list(endpoints), ports)]
    compiler.set_service(service("db", clusterIP="None", **spec), slices)


def ask(
    answerer: Answerer, name: str, kind: str = "A", stream: bool = False, **options: Any
) -> dns.message.Message:
    query = dns.message.make_query(name, kind, **options)
    reply = answerer.answer(query.to_wire(), stream)
    assert isinstance(reply, bytes)
    parsed = dns.message.from_wire(reply)
    assert query.is_response(parsed)
    return parsed


def data(reply: dns.message.Message) -> list[str]:
    return sorted(str(item) for rrset in reply.answer for item in rrset)


def is_nxdomain(reply: dns.message.Message) -> bool:
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]
    assert not reply.answer
    return reply.rcode() == dns.rcode.NXDOMAIN


def is_nodata(reply: dns.message.Message) -> bool:
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]
    assert not reply.answer
    return reply.rcode() == dns.rcode.NOERROR
