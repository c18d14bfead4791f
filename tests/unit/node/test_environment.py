"""A container's environment variables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pilotfish.node.downward import NodeFacts
from pilotfish.node.environment import Reference, container_environment, references
from pilotfish.node.errors import ContainerConfigError

FACTS = NodeFacts("node-1", "192.168.64.2", Decimal(2), 1 << 30, 1 << 40, ("10.244.0.5",))


def environment(
    container: dict[str, Any],
    sources: dict[Reference, Any] | None = None,
    service_env: dict[str, str] | None = None,
) -> dict[str, str]:
    container = {"name": "c", **container}
    pod = {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "web"}},
        "spec": {"containers": [container], "serviceAccountName": "robot"},
    }
    return container_environment(pod, container, sources or {}, service_env or {}, FACTS)


def field(path: str) -> dict[str, Any]:
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}


def test_a_variable_may_refer_to_those_before_it_and_to_services() -> None:
    env = [
        {"name": "A", "value": "$(REDIS_SERVICE_HOST):$(B)"},
        {"name": "B", "value": "1"},
        {"name": "C", "value": "<$(B)>"},
    ]
    result = environment({"env": env}, service_env={"REDIS_SERVICE_HOST": "10.96.0.7"})
    assert result["A"] == "10.96.0.7:$(B)"
    assert result["C"] == "<1>"


def test_the_downward_api_knows_the_pod_and_its_node() -> None:
    paths = {
        "NAME": "metadata.name",
        "NS": "metadata.namespace",
        "NODE": "spec.nodeName",
        "IP": "status.podIP",
        "HOST": "status.hostIP",
        "ACCOUNT": "spec.serviceAccountName",
        "APP": "metadata.labels['app']",
        "NOTHING": "metadata.annotations['none']",
    }
    result = environment({"env": [{"name": k, **field(v)} for k, v in paths.items()]})
    assert result == {
        "NAME": "p",
        "NS": "ns",
        "NODE": "node-1",
        "IP": "10.244.0.5",
        "HOST": "192.168.64.2",
        "ACCOUNT": "robot",
        "APP": "web",
        "NOTHING": "",
    }


def test_an_unknown_field_path_is_refused() -> None:
    with pytest.raises(ContainerConfigError, match="unsupported fieldPath"):
        environment({"env": [{"name": "X", **field("status.phase")}]})


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ({"resource": "limits.memory", "divisor": "1Mi"}, "64"),
        ({"resource": "limits.cpu"}, "1"),
        ({"resource": "limits.cpu", "divisor": "1m"}, "250"),
        ({"resource": "requests.memory", "divisor": "1Mi"}, "64"),
    ],
)
def test_resources_are_divided_and_rounded_up(ref: dict[str, str], expected: str) -> None:
    limits = {"memory": "64Mi", "cpu": "250m"}
    env = [{"name": "X", "valueFrom": {"resourceFieldRef": ref}}]
    result = environment({"env": env, "resources": {"limits": limits}})
    assert result["X"] == expected


@pytest.mark.parametrize(
    ("resource", "amount"),
    [("cpu", "2"), ("memory", str(1 << 30)), ("ephemeral-storage", str(1 << 40))],
)
def test_a_missing_limit_is_the_nodes_capacity(resource: str, amount: str) -> None:
    reference = {"resourceFieldRef": {"resource": f"limits.{resource}"}}
    assert environment({"env": [{"name": "X", "valueFrom": reference}]})["X"] == amount


def test_config_maps_and_secrets_give_single_keys_and_all_keys() -> None:
    container = {
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "m"}}],
        "env": [
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}},
            {"name": "P_b", "value": "own"},
        ],
    }
    sources = {
        Reference("configmap", "m"): {"data": {"a": "1", "b": "2"}},
        Reference("secret", "s"): {"data": {"password": "aHVudGVyMg=="}},
    }
    assert references(container) == set(sources)
    assert environment(container, sources) == {"P_a": "1", "P_b": "own", "S": "hunter2"}


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({Reference("configmap", "m"): None}, 'configmap "m" not found'),
        (
            {Reference("configmap", "m"): {"data": {}}},
            "couldn't find key k in ConfigMap ns/m",
        ),
    ],
)
def test_what_is_missing_is_named(sources: dict[Reference, Any], message: str) -> None:
    env = [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}]
    with pytest.raises(ContainerConfigError, match=message):
        environment({"env": env}, sources)


def test_what_is_optional_may_be_missing() -> None:
    ref = {"name": "m", "key": "k", "optional": True}
    container = {
        "env": [{"name": "X", "valueFrom": {"configMapKeyRef": ref}}],
        "envFrom": [{"secretRef": {"name": "s", "optional": True}}],
    }
    assert environment(container) == {}
