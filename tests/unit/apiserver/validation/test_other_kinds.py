"""Refusals of the smaller kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Refusals = Callable[..., list[str]]

SLICES = "endpointslices.discovery.k8s.io"
INGRESSES = "ingresses.networking.k8s.io"
CIDRS = "servicecidrs.networking.k8s.io"
BINDINGS = "rolebindings.rbac.authorization.k8s.io"


class TestEndpoints:
    def test_ready_addresses_are_taken(self, refusals: Refusals) -> None:
        subset = {"addresses": [{"ip": "10.244.0.5"}], "ports": [{"port": 80}]}
        assert refusals("endpoints", subsets=[subset]) == []

    def test_a_subset_needs_addresses_that_others_can_reach(self, refusals: Refusals) -> None:
        subsets = [{"ports": [{"port": 80}]}, {"addresses": [{"ip": "127.0.0.1"}]}]
        assert refusals("endpoints", subsets=subsets) == [
            "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
            'subsets[1].addresses[0].ip: Invalid value: "127.0.0.1": '
            "may not be in the loopback range (127.0.0.0/8, ::1/128)",
        ]


class TestEndpointSlices:
    def test_a_slice_of_pods_is_taken(self, refusals: Refusals) -> None:
        endpoint = {"addresses": ["10.244.0.5"], "nodeName": "node-1"}
        ports = [{"port": 80}, {"port": 443, "name": "tls"}]
        assert refusals(SLICES, addressType="IPv4", endpoints=[endpoint], ports=ports) == []

    def test_the_address_type_is_needed_and_stays(
        self, refusals: Refusals, change_refusals: Refusals
    ) -> None:
        assert refusals(SLICES) == ["addressType: Required value"]
        assert change_refusals(SLICES, {"addressType": "IPv4"}, {"addressType": "IPv6"}) == [
            'addressType: Invalid value: "IPv6": field is immutable'
        ]

    def test_addresses_are_of_the_type(self, refusals: Refusals) -> None:
        endpoints = [{"addresses": ["fd00::1"]}, {"addresses": []}]
        assert refusals(SLICES, addressType="IPv4", endpoints=endpoints) == [
            'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be an IPv4 address',
            "endpoints[1].addresses: Required value: must contain at least 1 address",
        ]

    def test_a_slice_holds_a_thousand_endpoints(self, refusals: Refusals) -> None:
        endpoints = [{"addresses": ["10.244.0.5"]}] * 1001
        assert refusals(SLICES, addressType="IPv4", endpoints=endpoints) == [
            "endpoints: Too many: 1001: must have at most 1000 items"
        ]

    def test_ports_have_names_of_their_own(self, refusals: Refusals) -> None:
        ports = [{"port": 80}, {"port": 81}]
        assert refusals(SLICES, addressType="IPv4", ports=ports) == [
            'ports[1].name: Duplicate value: ""'
        ]


class TestConfiguration:
    def test_keys_are_file_names(self, refusals: Refusals) -> None:
        (said,) = refusals("configmaps", data={"a/b": "c"})
        assert said.startswith('data[a/b]: Invalid value: "a/b": a valid config key must consist')

    def test_a_key_is_text_or_binary(self, refusals: Refusals) -> None:
        assert refusals("configmaps", data={"a": "b"}, binaryData={"a": "Yg=="}) == [
            'data[a]: Invalid value: "a": duplicate of key present in binaryData'
        ]

    def test_a_mebibyte_is_the_most(self, refusals: Refusals) -> None:
        (said,) = refusals("configmaps", data={"a": "x" * 1048577})
        assert said == "[]: Too long: may not be more than 1048576 bytes"

    @pytest.mark.parametrize("kind", ["configmaps", "secrets"])
    def test_what_is_frozen_stays(self, change_refusals: Refusals, kind: str) -> None:
        old = {"data": {"a": "Yg=="}, "immutable": True}
        assert change_refusals(kind, old, {"data": {"a": "Yw=="}}) == [
            "data: Forbidden: field is immutable when `immutable` is set"
        ]
        assert change_refusals(kind, old, {"immutable": False}) == [
            "immutable: Forbidden: field is immutable when `immutable` is set"
        ]

    def test_a_secrets_type_stays_and_demands_its_keys(
        self, refusals: Refusals, change_refusals: Refusals
    ) -> None:
        assert refusals("secrets", type="kubernetes.io/tls", data={"tls.crt": ""}) == [
            "data[tls.key]: Required value"
        ]
        assert change_refusals("secrets", {}, {"type": "mine"}) == [
            'type: Invalid value: "mine": field is immutable'
        ]


class TestNetworking:
    def test_an_ingress_is_taken(self, refusals: Refusals) -> None:
        backend = {"service": {"name": "web", "port": {"number": 80}}}
        paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
        rule = {"host": "*.example.com", "http": {"paths": paths}}
        assert refusals(INGRESSES, spec={"rules": [rule]}) == []

    def test_an_ingress_names_paths_and_ports(self, refusals: Refusals) -> None:
        backend = {"service": {"name": "web"}}
        paths = [{"path": "x", "pathType": "Exact", "backend": backend}, {"backend": backend}]
        assert refusals(INGRESSES, spec={"rules": [{"http": {"paths": paths}}]}) == [
            'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path',
            "spec.rules[0].http.paths[0].backend.service.port: Required value: "
            "port name or number is required",
            "spec.rules[0].http.paths[1].pathType: Required value: pathType must be specified",
            "spec.rules[0].http.paths[1].backend.service.port: Required value: "
            "port name or number is required",
        ]

    def test_service_ranges_are_networks_and_stay(
        self, refusals: Refusals, change_refusals: Refusals
    ) -> None:
        assert refusals(CIDRS, spec={"cidrs": ["10.0.0.0/16"]}) == []
        (said,) = refusals(CIDRS, spec={"cidrs": ["10.0.0.1/16"]})
        assert said.startswith('spec.cidrs[0]: Invalid value: "10.0.0.1/16": must be a valid CIDR')
        old, new = ({"spec": {"cidrs": [cidr]}} for cidr in ("10.0.0.0/16", "10.1.0.0/16"))
        assert change_refusals(CIDRS, old, new) == [
            'spec.cidrs: Invalid value: ["10.1.0.0/16"]: field is immutable'
        ]

    def test_an_address_is_named_by_itself(self, refusals: Refusals) -> None:
        spec = {"parentRef": {"resource": "services", "name": "web"}}
        kind = "ipaddresses.networking.k8s.io"
        assert refusals(kind, metadata={"name": "10.0.0.1"}, spec=spec) == []
        (said,) = refusals(kind, metadata={"name": "web"}, spec=spec)
        assert "must be a valid IP address" in said

    def test_policies_name_peers(self, refusals: Refusals) -> None:
        spec: dict[str, Any] = {"podSelector": {}, "ingress": [{"from": [{}]}]}
        assert refusals("networkpolicies.networking.k8s.io", spec=spec) == [
            "spec.ingress[0].from[0]: Required value: must specify a peer"
        ]


def test_the_role_of_a_binding_stays(change_refusals: Refusals) -> None:
    old, new = ({"roleRef": {"kind": "Role", "name": name}} for name in "ab")
    (said,) = change_refusals(BINDINGS, old, new)
    assert said.startswith("roleRef: Invalid value: ")
    assert said.endswith("cannot change roleRef")


def test_a_nodes_range_of_pods_stays(change_refusals: Refusals) -> None:
    old, new = ({"spec": {"podCIDR": cidr}} for cidr in ("10.244.0.0/24", "10.244.1.0/24"))
    assert change_refusals("nodes", old, new) == [
        'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'
    ]


def test_a_claim_says_how_and_how_much(refusals: Refusals) -> None:
    assert refusals("persistentvolumeclaims", spec={}) == [
        "spec.accessModes: Required value: at least 1 access mode is required",
        "spec.resources[storage]: Required value",
    ]


def test_a_volume_has_one_source(refusals: Refusals) -> None:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    assert refusals("persistentvolumes", spec={**spec, "hostPath": {"path": "/x"}}) == []
    assert refusals("persistentvolumes", spec=spec) == [
        "spec: Required value: must specify a volume type"
    ]
    assert refusals("persistentvolumes", spec={**spec, "hostPath": {}, "nfs": {}}) == [
        "spec.nfs: Forbidden: may not specify more than 1 volume type"
    ]


def test_a_storage_class_stays_what_volumes_were_made_by(
    refusals: Refusals, change_refusals: Refusals
) -> None:
    kind = "storageclasses.storage.k8s.io"
    assert refusals(kind) == ["provisioner: Required value"]
    old, new = ({"provisioner": name} for name in ("example.com/x", "example.com/y"))
    assert refusals(kind, **old) == []
    assert change_refusals(kind, old, new) == [
        "provisioner: Forbidden: updates to provisioner are forbidden."
    ]


def test_rules_name_verbs_groups_and_resources(refusals: Refusals) -> None:
    rules = [{}, {"verbs": ["get"], "nonResourceURLs": ["/healthz"]}]
    missing = [
        "rules[0].verbs: Required value: verbs must contain at least one value",
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "rules[0].resources: Required value: resource rules must supply at least one resource",
    ]
    assert refusals("clusterroles.rbac.authorization.k8s.io", rules=rules) == missing
    assert refusals("roles.rbac.authorization.k8s.io", rules=rules) == [
        *missing,
        'rules[1].nonResourceURLs: Invalid value: ["/healthz"]: '
        "namespaced rules cannot apply to non-resource URLs",
    ]


def test_an_event_lives_beside_what_it_is_about(refusals: Refusals) -> None:
    assert refusals("events", involvedObject={"kind": "Pod", "namespace": "default"}) == []
    assert refusals("events", involvedObject={"kind": "Node", "name": "node-1"}) == []
    assert refusals("events", involvedObject={"kind": "Pod", "namespace": "other"}) == [
        'involvedObject.namespace: Invalid value: "other": does not match event.namespace'
    ]


def test_a_lease_lasts(refusals: Refusals) -> None:
    kind = "leases.coordination.k8s.io"
    assert refusals(kind, spec={"leaseDurationSeconds": 40}) == []
    assert refusals(kind, spec={"leaseDurationSeconds": 0}) == [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"
    ]


def test_other_kinds_are_held_to_the_fields_they_need(refusals: Refusals) -> None:
    kind = "volumeattachments.storage.k8s.io"
    assert refusals(kind, spec={"attacher": "a", "nodeName": "n"}) == [
        "spec.source: Required value"
    ]
    assert refusals(kind, spec={"attacher": "a", "nodeName": "n", "source": {}}) == []
