"""Services that are refused, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Refusals = Callable[..., list[str]]
HTTP = {"port": 80}


def test_services_of_every_type_are_taken(refusals: Refusals) -> None:
    for spec in (
        {"ports": [HTTP], "selector": {"a": "b"}},
        {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]},
        {"type": "LoadBalancer", "ports": [HTTP], "externalTrafficPolicy": "Local"},
        {"type": "ExternalName", "externalName": "example.com."},
        {"clusterIP": "None"},
        {"clusterIP": "None", "selector": {"a": "b"}, "ports": [{"port": 80, "targetPort": "h"}]},
    ):
        assert refusals("services", spec=spec) == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, ["spec.ports: Required value"]),
        (
            {"ports": [{"port": 70000, "targetPort": 80}]},
            ["spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive"],
        ),
        (
            {"ports": [{"port": 80, "targetPort": "a--b"}]},
            [
                'spec.ports[0].targetPort: Invalid value: "a--b": '
                "must not contain consecutive hyphens"
            ],
        ),
        (
            {"ports": [{"port": 80, "protocol": "HTTP"}]},
            [
                'spec.ports[0].protocol: Unsupported value: "HTTP": '
                'supported values: "SCTP", "TCP", "UDP"'
            ],
        ),
        (
            {"type": "NodePorts", "ports": [HTTP]},
            [
                'spec.type: Unsupported value: "NodePorts": supported values: "ClusterIP", '
                '"ExternalName", "LoadBalancer", "NodePort"'
            ],
        ),
        (
            {"ports": [{"port": 80, "nodePort": 30080}]},
            ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
        ),
        ({"type": "ExternalName"}, ["spec.externalName: Required value"]),
        (
            {"type": "ExternalName", "externalName": "a.b", "clusterIPs": ["10.96.0.9"]},
            ["spec.clusterIPs: Forbidden: may not be set for ExternalName services"],
        ),
        (
            {"type": "NodePort", "clusterIP": "None", "ports": [HTTP]},
            [
                'spec.clusterIPs[0]: Invalid value: "None": '
                "may not be set to 'None' for NodePort services"
            ],
        ),
        (
            {"clusterIP": "10.96.0", "ports": [HTTP]},
            [
                'spec.clusterIPs[0]: Invalid value: "10.96.0": must be a valid IP address, '
                "(e.g. 10.9.8.7 or 2001:db8::ffff)"
            ],
        ),
        (
            {"clusterIP": "10.96.0.8", "clusterIPs": ["10.96.0.9"], "ports": [HTTP]},
            ['spec.clusterIPs: Invalid value: ["10.96.0.9"]: first value must match `clusterIP`'],
        ),
        (
            {"sessionAffinity": "Cookie", "ports": [HTTP]},
            [
                'spec.sessionAffinity: Unsupported value: "Cookie": '
                'supported values: "ClientIP", "None"'
            ],
        ),
        (
            {
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 90000}},
                "ports": [HTTP],
            },
            [
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: "
                "must be greater than 0 and less than 86400"
            ],
        ),
        (
            {"externalTrafficPolicy": "Local", "ports": [HTTP]},
            [
                'spec.externalTrafficPolicy: Invalid value: "Local": '
                "may only be set for externally-accessible services"
            ],
        ),
        (
            {"externalIPs": ["127.0.0.1"], "ports": [HTTP]},
            [
                'spec.externalIPs[0]: Invalid value: "127.0.0.1": '
                "may not be in the loopback range (127.0.0.0/8, ::1/128)"
            ],
        ),
        (
            {"loadBalancerClass": "x", "ports": [HTTP]},
            ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"],
        ),
    ],
)
def test_a_bad_service_says_what_is_wrong(
    refusals: Refusals, spec: dict[str, Any], said: list[str]
) -> None:
    assert refusals("services", spec=spec) == said


def test_ports_of_many_are_named_and_differ(refusals: Refusals) -> None:
    ports = [HTTP, {"port": 80, "name": "a"}, {"port": 81, "name": "a"}]
    assert refusals("services", spec={"ports": ports}) == [
        "spec.ports[0].name: Required value",
        'spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}',
        'spec.ports[2].name: Duplicate value: "a"',
    ]


def test_one_node_port_serves_one_port_of_a_protocol(refusals: Refusals) -> None:
    ports = [
        {"port": 53, "protocol": "TCP", "name": "a", "nodePort": 30053},
        {"port": 53, "protocol": "UDP", "name": "b", "nodePort": 30053},
        {"port": 54, "protocol": "TCP", "name": "c", "nodePort": 30053},
    ]
    assert refusals("services", spec={"type": "NodePort", "ports": ports}) == [
        "spec.ports[2].nodePort: Duplicate value: 30053"
    ]


def test_the_address_stays(change_refusals: Refusals) -> None:
    old = {"spec": {"ports": [HTTP], "clusterIP": "10.96.0.9"}}
    new = {"spec": {"ports": [HTTP], "clusterIP": "10.96.0.7"}}
    assert change_refusals("services", old, new) == [
        'spec.clusterIPs[0]: Invalid value: ["10.96.0.7"]: may not change once set'
    ]


def test_types_may_change(change_refusals: Refusals) -> None:
    old = {"spec": {"ports": [HTTP], "clusterIP": "10.96.0.9"}}
    for spec in (
        {"type": "NodePort", "ports": [HTTP]},
        {"type": "ExternalName", "externalName": "a.b", "ports": [HTTP]},
    ):
        assert change_refusals("services", old, {"spec": spec}) == []


def test_a_headless_service_may_get_a_selector_later(change_refusals: Refusals) -> None:
    families = {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack"}
    old = {"spec": {"clusterIP": "None", **families}}
    new = {"spec": {"type": "ClusterIP", "clusterIP": "None", "selector": {"a": "b"}, **families}}
    assert change_refusals("services", old, new) == []
