from __future__ import annotations

import copy

from pilotfish.dns.config import DnsConfig
from pilotfish.dns.registration import is_as_wanted, wanted_service, wanted_slice

CONFIG = DnsConfig("node-2", "192.168.64.3")
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "kube-dns", "namespace": "kube-system", "uid": "u"},
}


def test_the_service_serves_both_protocols_without_a_selector() -> None:
    spec = wanted_service(CONFIG)["spec"]
    assert spec["clusterIP"] == "10.96.0.10"
    assert "selector" not in spec
    assert [(port["name"], port["protocol"]) for port in spec["ports"]] == [
        ("dns", "UDP"),
        ("dns-tcp", "TCP"),
    ]


def test_the_slice_says_where_this_nodes_dns_is() -> None:
    wanted = wanted_slice(CONFIG, SERVICE)
    assert wanted["metadata"]["name"] == "kube-dns-node-2"
    assert wanted["metadata"]["labels"]["kubernetes.io/service-name"] == "kube-dns"
    assert wanted["metadata"]["ownerReferences"][0]["uid"] == "u"
    assert wanted["endpoints"][0]["nodeName"] == "node-2"


def test_what_a_server_adds_is_no_difference_and_what_matters_is() -> None:
    wanted = wanted_slice(CONFIG, SERVICE)
    present = copy.deepcopy(wanted)
    present["metadata"] |= {"uid": "x", "resourceVersion": "7"}
    present["ports"].reverse()
    assert is_as_wanted(present, wanted)
    for spoil in (
        {"endpoints": []},
        {"ports": []},
        {"metadata": present["metadata"] | {"labels": {}}},
        {"metadata": present["metadata"] | {"ownerReferences": []}},
    ):
        assert not is_as_wanted(present | spoil, wanted), spoil
