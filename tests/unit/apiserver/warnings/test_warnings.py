"""What is taken, and warned about."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.warnings import not_acted_on
from pilotfish.apiserver.warnings.registry import deprecation, warnings_of
from pilotfish.objects.resources import resource

Object = dict[str, Any]

PODS, DEPLOYMENTS = resource("pods"), resource("deployments.apps")


def pod(annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    metadata = {"name": "p", "annotations": annotations or {}}
    return {"metadata": metadata, "spec": {"containers": [container()], **spec}}


def container(name: str = "c", **fields: Any) -> Object:
    return {"name": name, "image": "x", **fields}


def env(*pairs: tuple[str, str]) -> Object:
    return container(env=[{"name": name, "value": value} for name, value in pairs])


def ports(*found: Object) -> Object:
    return container(ports=[{"containerPort": 80, "protocol": "TCP", **port} for port in found])


SECOND = "containers[0].ports[1]: {} port definition with spec.containers[0].ports[0]"
NULL = "a null labelSelector results in matching no pod"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (pod(), []),
        (
            pod(containers=[env(("A", "1"), ("A", "2"))]),
            [
                'containers[0].env[1]: hides previous definition of "A", which may be dropped '
                "when using apply"
            ],
        ),
        (pod(containers=[env(("A", "1"), ("A", "$(A):2"))]), []),
        (
            pod(containers=[env(("A", "1"), ("A", "$(A)"))]),
            [
                'containers[0].env[1]: hides previous definition of "A", which may be dropped '
                "when using apply"
            ],
        ),
        (pod(containers=[ports({}, {})]), [SECOND.format("duplicate")]),
        (pod(containers=[ports({"hostPort": 1}, {})]), [SECOND.format("overlapping")]),
        (
            pod(containers=[ports({"hostPort": 1, "hostIP": "1.2.3.4"}, {"hostPort": 1})]),
            [SECOND.format("dangerously ambiguous")],
        ),
        (pod(containers=[ports({"hostPort": 1}, {"hostPort": 2})]), []),
        (pod(containers=[ports({}), ports({"protocol": "UDP"})]), []),
        (
            pod(terminationGracePeriodSeconds=-5),
            [
                "terminationGracePeriodSeconds: must be >= 0; negative values are invalid and "
                "will be treated as 1"
            ],
        ),
        (
            pod(nodeSelector={"beta.kubernetes.io/os": "linux"}),
            [
                "nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "
                '"kubernetes.io/os" instead'
            ],
        ),
        (
            pod(topologySpreadConstraints=[{"topologyKey": "beta.kubernetes.io/arch"}]),
            [
                "topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/arch is deprecated "
                'since v1.14; use "kubernetes.io/arch" instead',
                f"topologySpreadConstraints[0].labelSelector: {NULL}",
            ],
        ),
        (
            pod(
                affinity={
                    "podAntiAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a"}]
                    }
                }
            ),
            [
                "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
                f".labelSelector: {NULL}"
            ],
        ),
        (
            pod(imagePullSecrets=[{"name": ""}, {"name": "a"}, {"name": "a"}]),
            [
                'imagePullSecrets[2].name: duplicate name "a"',
                'imagePullSecrets[0].name: invalid empty name ""',
            ],
        ),
        (
            pod(hostAliases=[{"ip": "1.2.3.4"}, {"ip": "1.2.3.4"}]),
            ['hostAliases[1].ip: duplicate ip "1.2.3.4"'],
        ),
        (
            pod(containers=[container(resources={"limits": {"memory": "100m"}})]),
            [
                'containers[0].resources.limits[memory]: fractional byte value "100m" is '
                "invalid, must be an integer"
            ],
        ),
        (
            pod(volumes=[{"name": "v", "gitRepo": {}}]),
            ["volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"],
        ),
    ],
)
def test_a_pod_is_warned_about(found: Object, said: list[str]) -> None:
    assert warnings_of(PODS, found) == [f"spec.{text}" for text in said]
    # An update of a Pod is none of a human.
    assert warnings_of(PODS, found, found) == []


def test_annotations_that_do_nothing_any_more_are_warned_about() -> None:
    notes = {
        "scheduler.alpha.kubernetes.io/critical-pod": "",
        "container.seccomp.security.alpha.kubernetes.io/c": "x",
    }
    assert warnings_of(PODS, pod(notes)) == [
        "metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in "
        'v1.16+; use the "priorityClassName" field instead',
        "metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional "
        'in v1.27+; use the "seccompProfile" field instead',
    ]


def deployment(template: Object) -> Object:
    return {"metadata": {"name": "d"}, "spec": {"template": template}}


def test_a_template_is_warned_about_until_it_stays() -> None:
    new = deployment(pod(terminationGracePeriodSeconds=-5))
    (said,) = warnings_of(DEPLOYMENTS, new, deployment(pod()))
    assert said.startswith("spec.template.spec.terminationGracePeriodSeconds: must be >= 0")
    assert warnings_of(DEPLOYMENTS, new, new) == []


def test_a_name_with_dots_is_no_host_name() -> None:
    named = {**deployment(pod()), "metadata": {"name": "a.b"}}
    assert warnings_of(DEPLOYMENTS, named) == [
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising "
        "behavior; a DNS label is recommended: [must not contain dots]"
    ]


@pytest.mark.parametrize(
    ("name", "found", "said"),
    [
        (
            "services",
            {"metadata": {}, "spec": {"clusterIP": "None", "sessionAffinity": "ClientIP"}},
            "spec.SessionAffinity is ignored for headless services",
        ),
        (
            "services",
            {"metadata": {}, "spec": {"externalName": "a.b", "trafficDistribution": "Auto"}},
            'spec.externalName is ignored when spec.type is not "ExternalName"',
        ),
        (
            "services",
            {"metadata": {}, "spec": {"trafficDistribution": "PreferClose"}},
            'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
        ),
        (
            "ingresses.networking.k8s.io",
            {"metadata": {"annotations": {"kubernetes.io/ingress.class": "x"}}, "spec": {}},
            'annotation "kubernetes.io/ingress.class" is deprecated, please use '
            "'spec.ingressClassName' instead",
        ),
    ],
)
def test_other_kinds_are_warned_about(name: str, found: Object, said: str) -> None:
    stored = not_acted_on.warning(resource(name).group, resource(name).kind)
    assert [told for told in warnings_of(resource(name), found) if told != stored] == [said]


def test_a_deprecated_resource_says_so() -> None:
    assert deprecation(resource("endpoints")) == (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    )
    assert deprecation(PODS) == ""
