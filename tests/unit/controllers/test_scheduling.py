"""The scheduler: which node a Pod gets, and in which words it gets none."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pilotfish.controllers.node_info import ClusterState
from pilotfish.controllers.scheduling import Choice, choose_node
from pilotfish.objects.meta import Object
from pilotfish.objects.pod_resources import pod_requests
from support.workloads import make_node, make_pod, make_replica_set


def cluster(nodes: list[Object], *pods: Object) -> ClusterState:
    state = ClusterState()
    for node in nodes:
        state.node_changed(None, node)
    for pod in pods:
        state.pod_changed(None, pod)
    return state


def choose(state: ClusterState, pod: Object) -> Choice:
    return choose_node(pod, state.available(), {})


def container(**resources: str) -> Object:
    return {"containers": [{"name": "c", "resources": {"requests": resources}}]}


def two_nodes(**fields: Any) -> list[Object]:
    return [make_node("node-1", **fields), make_node("node-2")]


def test_replicas_are_spread_over_the_nodes() -> None:
    owner = make_replica_set()
    state = cluster(two_nodes())
    counts: Counter[str] = Counter()
    for number in range(6):
        pod = make_pod(f"web-{number}", owner=owner)
        choice = choose(state, pod)
        state.place(pod, choice.node)
        counts[choice.node] += 1
    assert counts == {"node-1": 3, "node-2": 3}


def test_siblings_are_kept_apart_even_on_a_fuller_node() -> None:
    owner = make_replica_set()
    state = cluster(
        two_nodes(),
        make_pod("web-1", owner=owner, node="node-1"),
        *(make_pod(f"other-{number}", node="node-2") for number in range(5)),
    )
    assert choose(state, make_pod("web-2", owner=owner)).node == "node-2"


def test_a_cluster_without_nodes_says_so() -> None:
    assert choose(cluster([]), make_pod()).message == "no nodes available to schedule pods"


def test_resources_that_no_node_has_left_are_named() -> None:
    state = cluster(two_nodes(), make_pod("big", node="node-1", spec=container(cpu="3")))
    assert choose(state, make_pod(spec=container(cpu="2"))).node == "node-2"
    assert choose(state, make_pod(spec=container(cpu="5", memory="9Gi"))).message == (
        "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory."
    )


def test_resources_come_back_when_a_pod_finishes_or_goes() -> None:
    big = make_pod("big", node="node-1", spec=container(cpu="4"))
    state = cluster([make_node("node-1")], big)
    wanting = make_pod("next", spec=container(cpu="1"))
    assert choose(state, wanting).node == ""
    finished = {**big, "status": {"phase": "Succeeded"}}
    state.pod_changed(big, finished)
    assert choose(state, wanting).node == "node-1"


def test_a_place_that_was_chosen_counts_before_the_watch_shows_it() -> None:
    state = cluster([make_node("node-1")])
    first, second = (make_pod(name, spec=container(cpu="3")) for name in ("a", "b"))
    state.place(first, choose(state, first).node)
    state.pod_changed(first, first)  # an older event, still without a node
    assert choose(state, second).message == "0/1 nodes are available: 1 Insufficient cpu."
    state.forget(first)
    assert choose(state, second).node == "node-1"


def test_init_containers_ask_for_their_peak_and_sidecars_for_good() -> None:
    spec = {
        "containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}],
        "initContainers": [
            {"name": "big", "resources": {"requests": {"cpu": "2"}}},
            {
                "name": "mesh",
                "restartPolicy": "Always",
                "resources": {"requests": {"cpu": "500m", "memory": "1Mi"}},
            },
        ],
    }
    assert pod_requests(make_pod(spec=spec)) == {"cpu": 2000, "memory": 1024**2}
    del spec["initContainers"][0]
    assert pod_requests(make_pod(spec=spec)) == {"cpu": 1500, "memory": 1024**2}


def test_a_limit_without_a_request_counts_as_one() -> None:
    spec = {"containers": [{"name": "c", "resources": {"limits": {"cpu": "250m"}}}]}
    assert pod_requests(make_pod(spec=spec)) == {"cpu": 250}


@pytest.mark.parametrize(
    ("node", "pod", "reason"),
    [
        (
            {"spec": {"unschedulable": True}},
            {},
            "1 node(s) were unschedulable",
        ),
        (
            {"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}},
            {},
            "1 node(s) had untolerated taint {gpu: yes}",
        ),
        (
            {"ready": "False"},
            {},
            "1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
        ),
        (
            {},
            {"nodeSelector": {"disk": "ssd"}},
            "1 node(s) didn't match Pod's node affinity/selector",
        ),
    ],
)
def test_a_node_that_does_not_do_is_refused_in_kubernetes_words(
    node: Object, pod: Object, reason: str
) -> None:
    state = cluster([make_node("node-1", **node)])
    assert choose(state, make_pod(spec=pod)).message == f"0/1 nodes are available: {reason}."


def test_a_toleration_opens_a_tainted_node() -> None:
    taints = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
    state = cluster([make_node("node-1", spec={"taints": taints})])
    for toleration in ({"key": "gpu", "value": "yes"}, {"operator": "Exists"}):
        assert choose(state, make_pod(spec={"tolerations": [toleration]})).node == "node-1"
    other = {"key": "gpu", "value": "no"}
    assert choose(state, make_pod(spec={"tolerations": [other]})).node == ""


def test_a_host_port_is_given_once_per_node() -> None:
    spec = {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 8080}]}]}
    state = cluster([make_node("node-1")], make_pod("first", node="node-1", spec=spec))
    assert choose(state, make_pod("second", spec=spec)).message == (
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."
    )


def test_node_affinity_expressions_choose_the_node() -> None:
    nodes = [make_node("node-1", labels={"zone": "a"}), make_node("node-2", labels={"zone": "b"})]
    expression = {"key": "zone", "operator": "In", "values": ["b", "c"]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    kind = "requiredDuringSchedulingIgnoredDuringExecution"
    spec = {"affinity": {"nodeAffinity": {kind: required}}}
    assert choose(cluster(nodes), make_pod(spec=spec)).node == "node-2"


def test_preferred_node_affinity_weighs_more_than_spreading() -> None:
    nodes = [make_node("node-1"), make_node("node-2", labels={"disk": "ssd"})]
    term = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
    kind = "preferredDuringSchedulingIgnoredDuringExecution"
    spec = {"affinity": {"nodeAffinity": {kind: [{"weight": 1, "preference": term}]}}}
    state = cluster(nodes, make_pod("other", node="node-2"))
    assert choose(state, make_pod(spec=spec)).node == "node-2"


def affinity(kind: str, app: str) -> Object:
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"app": app}},
    }
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def named_nodes() -> list[Object]:
    return [
        make_node(name, labels={"kubernetes.io/hostname": name}) for name in ("node-1", "node-2")
    ]


def test_pod_affinity_joins_and_anti_affinity_avoids() -> None:
    state = cluster(named_nodes(), make_pod("db", node="node-2", labels={"app": "db"}))
    near = make_pod("near", spec=affinity("podAffinity", "db"))
    far = make_pod("far", spec=affinity("podAntiAffinity", "db"))
    assert choose(state, near).node == "node-2"
    assert choose(state, far).node == "node-1"


def test_anti_affinity_of_running_pods_holds_against_newcomers() -> None:
    loner = make_pod("loner", node="node-1", spec=affinity("podAntiAffinity", "web"))
    state = cluster(named_nodes()[:1], loner)
    assert choose(state, make_pod("web", labels={"app": "web"})).message == (
        "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."
    )


def test_the_first_pod_of_a_group_that_wants_its_own_company_is_placed() -> None:
    spec = affinity("podAffinity", "web")
    state = cluster(named_nodes())
    assert choose(state, make_pod("web", labels={"app": "web"}, spec=spec)).node
    assert choose(state, make_pod("api", labels={"app": "api"}, spec=spec)).message == (
        "0/2 nodes are available: 2 node(s) didn't match pod affinity rules."
    )


def test_topology_spread_limits_the_skew() -> None:
    constraint = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    spec = {"topologySpreadConstraints": [constraint], "nodeSelector": {}}
    labels = {"app": "web"}
    state = cluster(
        named_nodes(),
        make_pod("web-1", node="node-1", labels=labels),
        *(make_pod(f"x{number}", node="node-2") for number in range(9)),
    )
    assert choose(state, make_pod("web-2", labels=labels, spec=spec)).node == "node-2"


def test_a_full_node_is_said_to_have_too_many_pods() -> None:
    node = make_node("node-1")
    node["status"]["allocatable"]["pods"] = "1"
    state = cluster([node], make_pod("a", node="node-1"))
    assert choose(state, make_pod("b")).message == "0/1 nodes are available: 1 Too many pods."
