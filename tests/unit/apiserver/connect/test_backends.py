"""Who answers a proxied request."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.connect.backends import (
    Backend,
    ProxyName,
    node_backend,
    parse_proxy_name,
    pod_backend,
    service_backend,
)
from pilotfish.apiserver.connect.kubelet import KubeletAddress
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.meta import Object

POD: Object = {
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "a"}, {"name": "b", "ports": [{"containerPort": 8080}]}]},
    "status": {"podIP": "10.244.0.5"},
}
SERVICE: Object = {
    "metadata": {"name": "web"},
    "spec": {"ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]},
}


def endpoint_slice(*endpoints: tuple[str, bool], **ports: int) -> Object:
    return {
        "ports": [{"name": name.strip("_"), "port": port} for name, port in ports.items()],
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": ready}} for address, ready in endpoints
        ],
    }


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("web", ProxyName("", "web", "")),
        ("web:80", ProxyName("", "web", "80")),
        ("https:web:admin", ProxyName("https", "web", "admin")),
        ("http:web:", ProxyName("http", "web", "")),
        (":web:80", ProxyName("", "web", "80")),
    ],
)
def test_names_may_hold_scheme_and_port(text: str, parts: ProxyName) -> None:
    assert parse_proxy_name(text, "service") == parts


@pytest.mark.parametrize("text", ["ftp:web:80", "a:b:c:d", ":80", "http::80"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(StatusError, match="invalid service request"):
        parse_proxy_name(text, "service")


def test_a_pod_answers_at_the_port_asked_for_or_its_first() -> None:
    assert pod_backend(POD, ProxyName("", "web", "")) == Backend("http", "10.244.0.5", 8080)
    assert pod_backend(POD, ProxyName("https", "web", "443")) == Backend("https", "10.244.0.5", 443)


def test_a_pod_without_address_cannot_answer() -> None:
    with pytest.raises(StatusError, match="address not allowed"):
        pod_backend({**POD, "status": {}}, ProxyName("", "web", "80"))


NODE: Object = {
    "spec": {"podCIDRs": ["10.244.0.0/24"]},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.168.64.2"}]},
}
HERE = [
    "127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "224.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "fe80::1",
]


@pytest.mark.parametrize("address", [*HERE, "localhost", ""])
def test_no_status_leads_to_the_api_servers_own_machine(address: str) -> None:
    with pytest.raises(StatusError, match="address not allowed"):
        pod_backend({**POD, "status": {"podIP": address}}, ProxyName("", "web", "80"))


@pytest.mark.parametrize(
    ("address", "host_network", "allowed"),
    [
        ("10.244.0.5", False, True),
        ("10.244.1.5", False, False),  # another node's
        ("192.168.64.1", False, False),  # this machine
        ("192.168.64.2", False, False),
        ("192.168.64.2", True, True),
        ("192.168.64.1", True, False),
    ],
)
def test_a_pods_address_is_one_that_its_node_can_have_given(
    address: str, host_network: bool, allowed: bool
) -> None:
    pod = {**POD, "spec": {**POD["spec"], "hostNetwork": host_network}}
    pod["status"] = {"podIP": address}
    asked = ProxyName("", "web", "80")
    if allowed:
        assert pod_backend(pod, asked, NODE).host == address
    else:
        with pytest.raises(StatusError, match="address not allowed"):
            pod_backend(pod, asked, NODE)


def test_no_endpoint_and_no_node_leads_here_either() -> None:
    slices = [endpoint_slice(("127.0.0.1", True), http=80)]
    with pytest.raises(StatusError, match="address not allowed"):
        service_backend(SERVICE, slices, ProxyName("", "web", "http"))
    with pytest.raises(StatusError, match="address not allowed"):
        node_backend(KubeletAddress("127.0.0.1", 10250), ProxyName("", "n", "9100"))


@pytest.mark.parametrize("port", ["http", "81"])
def test_a_ready_endpoint_answers_for_a_service(port: str) -> None:
    slices = [
        endpoint_slice(("10.244.0.9", False), http=8080, admin=9090),
        endpoint_slice(("10.244.1.7", True), http=8080, admin=9090),
    ]
    expected = 8080 if port == "http" else 9090
    assert service_backend(SERVICE, slices, ProxyName("", "web", port)) == Backend(
        "http", "10.244.1.7", expected
    )


def test_all_ready_endpoints_get_their_turn() -> None:
    slices = [endpoint_slice(("10.244.0.1", True), ("10.244.0.2", True), _=80)]
    asked = ProxyName("", "web", "")
    hosts = {service_backend(SERVICE, slices, asked).host for _ in range(200)}
    assert hosts == {"10.244.0.1", "10.244.0.2"}


@pytest.mark.parametrize(
    ("port", "complaint"),
    [
        ("82", 'no service port 82 found for service "web"'),
        ("80", 'no endpoints available for service "web"'),
        ("", 'no endpoints available for service "web"'),
    ],
)
def test_a_service_that_cannot_answer_says_why(port: str, complaint: str) -> None:
    slices = [endpoint_slice(("10.244.0.9", False), http=8080)]
    with pytest.raises(StatusError) as caught:
        service_backend(SERVICE, slices, ProxyName("", "web", port))
    assert (caught.value.code, caught.value.message) == (503, complaint)


def test_a_node_is_its_kubelet_unless_another_port_is_named() -> None:
    address = KubeletAddress("192.168.64.2", 10250)
    assert node_backend(address, ProxyName("", "node-1", "")) == Backend(
        "https", "192.168.64.2", 10250, kubelet=True
    )
    assert node_backend(address, ProxyName("", "node-1", "9100")) == Backend(
        "http", "192.168.64.2", 9100
    )
    assert node_backend(address, ProxyName("", "node-1", "10250")).kubelet
    assert node_backend(address, ProxyName("https", "node-1", "10251")).kubelet  # the tap


def test_an_authority_leaves_out_the_default_port() -> None:
    assert Backend("http", "10.0.0.1", 80).authority == "10.0.0.1"
    assert Backend("https", "10.0.0.1", 80).authority == "10.0.0.1:80"
    assert Backend("http", "fd00::1", 8080).authority == "[fd00::1]:8080"
