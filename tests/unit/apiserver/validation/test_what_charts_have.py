"""What Kubernetes takes and published charts contain is not refused here either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Refusals = Callable[..., list[str]]

WEB = {"name": "web", "image": "nginx"}
TEMPLATE_LABELS = {"app": "a"}


def deployment(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": TEMPLATE_LABELS}, "spec": {"containers": [WEB], **spec}}
    return {"selector": {"matchLabels": TEMPLATE_LABELS}, "template": template}


def env(**source: Any) -> dict[str, Any]:
    return {"containers": [{**WEB, "env": [{"name": "A", "valueFrom": source}]}]}


@pytest.mark.parametrize(
    "spec",
    [
        {"terminationGracePeriodSeconds": -1},
        {"imagePullSecrets": [{}, {"name": ""}]},
        {"containers": [{**WEB, "image": " nginx "}]},
        env(secretKeyRef={"name": "With_Letters", "key": "k"}),
        env(configMapKeyRef={"name": "With_Letters", "key": "k"}),
        {"containers": [{**WEB, "envFrom": [{"secretRef": {"name": "With_Letters"}}]}]},
    ],
)
def test_a_template_is_taken(refusals: Refusals, spec: dict[str, Any]) -> None:
    assert refusals("deployments.apps", spec=deployment(**spec)) == []


def test_blanks_around_an_image_are_refused_in_pods_alone(refusals: Refusals) -> None:
    containers = [{**WEB, "image": "nginx "}]
    assert refusals("pods", spec={"containers": containers}) == [
        'spec.containers[0].image: Invalid value: "nginx ": '
        "must not have leading or trailing whitespace"
    ]


def test_a_role_binding_knows_the_namespace_of_its_accounts(refusals: Refusals) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"}
    given = {"roleRef": role, "subjects": [{"kind": "ServiceAccount", "name": "a"}]}
    assert refusals("rolebindings.rbac.authorization.k8s.io", **given) == []
    assert refusals("clusterrolebindings.rbac.authorization.k8s.io", **given) == [
        "subjects[0].namespace: Required value"
    ]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"cidr": "10.0.0.5/8", "except": ["10.1.2.3/16"]}, []),
        ({"cidr": "10.0.0.5"}, ['ipBlock.cidr: Invalid value: "10.0.0.5": must be a valid CIDR']),
        ({"cidr": ""}, ["ipBlock.cidr: Required value"]),
        (
            {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16", "10.0.0.0/8", "x"]},
            [
                'ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset',
                'ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset',
                'ipBlock.except[2]: Invalid value: "x": must be a valid CIDR',
            ],
        ),
    ],
)
def test_blocks_of_network_policies(refusals: Refusals, block: Any, said: list[str]) -> None:
    spec = {"podSelector": {}, "ingress": [{"from": [{"ipBlock": block}]}]}
    found = refusals("networkpolicies.networking.k8s.io", spec=spec)
    assert len(found) == len(said)
    for cause, start in zip(found, said, strict=True):
        assert cause.removeprefix("spec.ingress[0].from[0].").startswith(start)


def test_two_owners_may_be_one_object(refusals: Refusals) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"}
    owners = [owner, {**owner, "blockOwnerDeletion": True}]
    assert refusals("configmaps", metadata={"ownerReferences": owners}) == []


def test_an_event_may_have_any_name_that_fits_into_a_path(refusals: Refusals) -> None:
    about = {"kind": "Pod", "name": "x", "namespace": "default"}
    assert refusals("events", metadata={"name": "Some_Name:1"}, involvedObject=about) == []
