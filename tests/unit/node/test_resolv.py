"""resolv.conf by dnsPolicy and dnsConfig."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.node.resolv import ResolvConf, parse_resolv_conf, pod_resolv_conf

HOST = ResolvConf(["192.0.2.53"], ["example.org"], ["timeout:2"])


def render(spec: dict[str, Any]) -> str:
    pod = {"metadata": {"name": "p", "namespace": "ns"}, "spec": spec}
    return pod_resolv_conf(pod, HOST, "10.96.0.10", "cluster.local").render()


CLUSTER = (
    "search ns.svc.cluster.local svc.cluster.local cluster.local example.org\n"
    "nameserver 10.96.0.10\n"
    "options ndots:5\n"
)
MACHINE = "search example.org\nnameserver 192.0.2.53\noptions timeout:2\n"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, CLUSTER),
        ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, MACHINE),
        ({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True}, CLUSTER),
        ({"dnsPolicy": "Default"}, MACHINE),
        ({"dnsPolicy": "None"}, ""),
    ],
)
def test_the_policy_decides_which_resolver_a_pod_asks(spec: dict[str, Any], expected: str) -> None:
    assert render(spec) == expected


def test_dns_config_adds_to_the_policy_and_overrides_options() -> None:
    config = {
        "nameservers": ["192.0.2.1"],
        "searches": ["my.domain"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
    }
    assert render({"dnsPolicy": "None", "dnsConfig": config}) == (
        "search my.domain\nnameserver 192.0.2.1\noptions ndots:2 edns0\n"
    )
    assert "options ndots:2 edns0" in render({"dnsConfig": config})


def test_the_machines_file_is_read_as_glibc_reads_it() -> None:
    text = "# a comment\nsearch old\nsearch a b\nnameserver 192.0.2.1\noptions rotate\n"
    assert parse_resolv_conf(text) == ResolvConf(["192.0.2.1"], ["a", "b"], ["rotate"])
