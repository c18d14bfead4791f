"""Where traffic of a Service or a hostPort goes: zones, nodes, addresses, protocols."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from support.shell import Shell, eventually

PROGRAM = """
import http.server, os, socket, threading
class Name(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(os.environ["NODE"].encode())
    def log_message(self, *_): pass
def echo():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("", 8080))
    while True:
        data, peer = udp.recvfrom(100); udp.sendto(os.environ["NODE"].encode(), peer)
threading.Thread(target=echo, daemon=True).start()
http.server.HTTPServer(("", 8080), Name).serve_forever()
"""


def pod(name: str, node: str = "", ports: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    container = {
        "name": "name",
        "image": "host",
        "command": ["python3", "-c", PROGRAM],
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "ports": list(ports),
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    }
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    if node:
        spec["nodeSelector"] = {"kubernetes.io/hostname": node}
    metadata = {"name": name, "labels": {"app": "places"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def places(shell: Shell) -> Iterator[Shell]:
    """A Pod on each node behind Service `places`; each node in a zone of its own."""
    port = ({"containerPort": 8080, "hostPort": 8098, "protocol": "UDP"},)
    spec = {"selector": {"app": "places"}, "ports": [{"port": 80, "targetPort": 8080}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "places"}, "spec": spec}
    items = [pod("on-1", "node-1", port), pod("on-2", "node-2"), service]
    for number in (1, 2):
        shell.kubectl("label", "node", f"node-{number}", f"topology.kubernetes.io/zone=z{number}")
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    shell.kubectl("apply", "-f", "-", stdin=json.dumps(listed))
    shell.wait_endpoints("places", 2)
    yield shell
    shell.kubectl("delete", "service/places", "pod/on-1", "pod/on-2", "pod/third")
    shell.kubectl("label", "node", "--all", "topology.kubernetes.io/zone-")


def answering(shell: Shell, client: str) -> set[str]:
    return set(shell.answers(f"http://{shell.cluster_ip('places')}/", 20, client))


@pytest.mark.parametrize("wish", ["PreferSameZone", "PreferSameNode"])
def test_traffic_stays_near_while_somebody_is_there(places: Shell, wish: str) -> None:
    def distribute(value: str | None) -> None:
        patch = json.dumps({"spec": {"trafficDistribution": value}})
        places.kubectl("patch", "service", "places", "-p", patch)

    assert answering(places, "on-1") == {"node-1", "node-2"}
    distribute(wish)
    for number in (1, 2):
        near = {f"node-{number}"}
        client = f"on-{number}"
        eventually(lambda: answering(places, client) == near, f"{client} stays near")  # noqa: B023
    distribute(None)
    both = {"node-1", "node-2"}
    eventually(lambda: answering(places, "on-1") == both, "traffic goes everywhere again")


def test_a_host_port_is_of_its_protocol(places: Shell, status: dict[str, Any]) -> None:
    first = next(str(one["address"]) for one in status["nodes"] if one["name"] == "node-1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(2)
        udp.sendto(b"?", (first, 8098))
        assert udp.recv(100) == b"node-1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((first, 8098), 2).close()


def test_host_ports_clash_by_address_and_protocol(places: Shell, status: dict[str, Any]) -> None:
    address = next(str(one["address"]) for one in status["nodes"] if one["name"] == "node-1")

    def third(protocol: str) -> None:
        port = {"containerPort": 8080, "hostPort": 8098, "hostIP": address, "protocol": protocol}
        places.kubectl("delete", "pod/third", "--ignore-not-found")
        places.kubectl("create", "-f", "-", stdin=json.dumps(pod("third", "node-1", (port,))))

    third("UDP")  # taken at every address
    eventually(
        lambda: (
            "didn't have free ports for the requested pod ports"
            in places.kubectl(
                "get", "pod", "third", "-o", "jsonpath={.status.conditions[*].message}"
            )
        ),
        "the scheduler says why",
    )
    third("TCP")
    eventually(
        lambda: places.run("curl", "-s", "-m", "1", f"http://{address}:8098/").stdout == "node-1",
        "the other protocol answers",
    )
