"""managedFields: every writer owns what it wrote, and nobody loses what others own."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pilotfish.apiserver.apply.accounting import account_creation, account_update
from pilotfish.apiserver.apply.applying import apply_configuration
from pilotfish.apiserver.apply.fieldsets import fields_of, from_fields_v1
from pilotfish.apiserver.apply.managers import read_managers
from pilotfish.apiserver.apply.places import MISSING, Places
from pilotfish.apiserver.patches.merge import merge_patch
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import schema_for

SERVICE = schema_for("v1", "Service")

names = st.sampled_from(["a", "b", "c"])
texts = st.sampled_from(["x", "y", "z"])
ports = st.lists(
    st.fixed_dictionaries(
        {"port": st.integers(1, 3), "protocol": st.just("TCP")},
        optional={"name": names, "targetPort": st.integers(1, 3)},
    ),
    max_size=3,
    unique_by=lambda port: port["port"],
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "selector": st.dictionaries(names, texts, max_size=2),
        "ports": ports,
        "type": st.sampled_from(["ClusterIP", "NodePort"]),
        "externalIPs": st.lists(texts, max_size=2),
        "sessionAffinityConfig": st.fixed_dictionaries(
            {}, optional={"clientIP": st.just({"timeoutSeconds": 1})}
        ),
    },
)
metadatas = st.fixed_dictionaries(
    {"name": st.just("web")},
    optional={
        "labels": st.dictionaries(names, texts, max_size=3),
        "finalizers": st.lists(names, max_size=2, unique=True),
    },
)
services = st.fixed_dictionaries(
    {
        "apiVersion": st.just("v1"),
        "kind": st.just("Service"),
        "metadata": metadatas,
        "spec": specs,
    }
)


def created(obj: Object, manager: str = "maker") -> Object:
    obj = deepcopy(obj)
    account_creation(obj, SERVICE, manager, but_status=True)
    return obj


def updated(old: Object, new: Object, manager: str, subresource: str = "") -> Object:
    new = deepcopy(new)
    account_update(new, old, SERVICE, manager, subresource)
    return new


# What holds other fields: who added it is noted, which says nothing about the fields in it.
HOLDERS = {
    ("f:spec",),
    ("f:spec", "f:ports"),
    ("f:spec", "f:sessionAffinityConfig"),
    ("f:spec", "f:sessionAffinityConfig", "f:clientIP"),
    ("f:metadata", "f:labels"),
    ("f:metadata", "f:finalizers"),
}


def owners(obj: Object) -> dict[str, set[tuple[str, ...]]]:
    return {manager.name: manager.paths for manager in read_managers(obj)}


def test_an_update_owns_what_it_changed_and_no_more() -> None:
    web: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"a": "x"}},
        "spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "http"}], "type": "ClusterIP"},
    }
    old = created(web)
    new = deepcopy(old)
    new["metadata"]["labels"]["b"] = "y"
    new["spec"]["ports"][0]["name"] = "web"
    place = 'k:{"port":80,"protocol":"TCP"}'
    found = owners(updated(old, new, "editor"))
    assert found["editor"] == {
        ("f:metadata", "f:labels", "f:b"),
        ("f:spec", "f:ports", place, "f:name"),
    }
    assert found["maker"] == {
        ("f:metadata", "f:labels"),
        ("f:metadata", "f:labels", "f:a"),
        ("f:spec", "f:ports"),
        ("f:spec", "f:ports", place),
        ("f:spec", "f:ports", place, "f:port"),
        ("f:spec", "f:ports", place, "f:protocol"),
        ("f:spec", "f:type"),
    }


def test_a_status_is_its_writers_through_the_subresource() -> None:
    old = created(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "a"},
            "spec": {"type": "ClusterIP"},
        }
    )
    new = old | {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    entry = updated(old, new, "balancer", "status")["metadata"]["managedFields"][-1]
    assert (entry["manager"], entry["operation"]) == ("balancer", "Update")
    assert entry["subresource"] == "status"


def test_the_account_can_be_cleared_and_stays_so() -> None:
    old = created(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "a"},
            "spec": {"type": "ClusterIP"},
        }
    )
    new = deepcopy(old)
    new["metadata"]["managedFields"] = [{}]
    cleared = updated(old, new, "x")
    assert "managedFields" not in cleared["metadata"]
    changed = cleared | {"spec": {"type": "NodePort"}}
    assert "managedFields" not in updated(cleared, changed, "x")["metadata"]


def test_many_updaters_are_put_together_and_own_what_they_owned() -> None:
    obj = created(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "a"},
            "spec": {"type": "ClusterIP"},
        }
    )
    for number in range(20):
        new = deepcopy(obj)
        new["metadata"].setdefault("labels", {})[f"l{number}"] = "x"
        obj = updated(obj, new, f"m{number}")
    found = owners(obj)
    assert len(found) == 10
    assert "ancient-changes" in found
    owned = set().union(*found.values())
    labels = {("f:metadata", "f:labels", f"f:l{number}") for number in range(20)}
    assert owned == labels | {("f:spec", "f:type"), ("f:metadata", "f:labels")}


def test_a_pod_is_accounted_for_as_kube_apiserver_does() -> None:
    """With a "." for what was added to hold fields, and none for what every Pod has."""
    container = {
        "name": "c",
        "image": "i",
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "1"}},
    }
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"run": "p"}, "ownerReferences": [owner]},
        "spec": {"containers": [container], "securityContext": {}, "dnsPolicy": "Default"},
    }
    account_creation(pod, schema_for("v1", "Pod"), "kubectl-run", but_status=True)
    (entry,) = pod["metadata"]["managedFields"]
    assert entry["fieldsV1"] == {
        "f:metadata": {
            "f:labels": {".": {}, "f:run": {}},
            "f:ownerReferences": {".": {}, 'k:{"uid":"u"}': {}},
        },
        "f:spec": {
            "f:containers": {
                'k:{"name":"c"}': {
                    ".": {},
                    "f:image": {},
                    "f:name": {},
                    "f:ports": {
                        ".": {},
                        'k:{"containerPort":80,"protocol":"TCP"}': {
                            ".": {},
                            "f:containerPort": {},
                            "f:protocol": {},
                        },
                    },
                    "f:resources": {".": {}, "f:limits": {".": {}, "f:cpu": {}}},
                }
            },
            "f:dnsPolicy": {},
            "f:securityContext": {},
        },
    }


def test_what_every_deployment_has_nobody_added() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}
    update = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "strategy": update, "template": template}
    obj: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec, "metadata": {}}
    account_creation(obj, schema_for("apps/v1", "Deployment"), "m", but_status=True)
    assert obj["metadata"]["managedFields"][0]["fieldsV1"] == {
        "f:spec": {
            "f:selector": {},
            "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}}, "f:type": {}},
            "f:template": {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}},
        }
    }


def test_the_first_label_makes_its_writer_the_owner_of_the_labels() -> None:
    old = created({"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"type": "A"}})
    new = deepcopy(old)
    new["metadata"]["labels"] = {"a": "x"}
    entry = updated(old, new, "editor")["metadata"]["managedFields"][-1]
    assert entry["fieldsV1"] == {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}


@given(services)
def test_a_new_object_is_its_creators_as_a_whole(obj: Object) -> None:
    entries = created(obj)["metadata"].get("managedFields", [])
    paths = from_fields_v1(entries[0]["fieldsV1"]) if entries else set()
    assert paths - HOLDERS == fields_of(obj, SERVICE) - HOLDERS


@given(services, services)
def test_what_is_there_has_one_owner_and_what_is_gone_none(first: Object, second: Object) -> None:
    old = created(first)
    found = owners(updated(old, second, "editor"))
    fields = fields_of(second, SERVICE)
    if old["metadata"].get("managedFields"):
        assert set().union(*found.values()) - HOLDERS == fields - HOLDERS
        both = found.get("maker", set()) & found.get("editor", set())
        assert both == set()
    for path in found.get("maker", set()) - HOLDERS:
        if path[-1][:2] != "k:":
            assert Places(first, SERVICE).at(path) == Places(second, SERVICE).at(path)


@given(services, services)
def test_applying_twice_is_applying_once(live: Object, wanted: Object) -> None:
    def applied(obj: Object) -> Object:
        return apply_configuration(deepcopy(obj), deepcopy(wanted), SERVICE, "me", force=True)

    def timeless(obj: Object) -> Object:
        obj = deepcopy(obj)
        for entry in obj["metadata"].get("managedFields", ()):
            del entry["time"]
        return obj

    once = applied(created(live))
    assert timeless(applied(once)) == timeless(once)


@given(services, services, services)
def test_an_applier_that_gives_up_leaves_what_another_owns(
    live: Object, first: Object, second: Object
) -> None:
    base = created(live)
    theirs = fields_of(live, SERVICE)
    mine = fields_of(first, SERVICE) | fields_of(second, SERVICE)
    obj = apply_configuration(deepcopy(base), deepcopy(first), SERVICE, "me", force=True)
    obj = apply_configuration(obj, deepcopy(second), SERVICE, "me", force=True)
    for path in theirs:
        if not any(path[: len(other)] == other or other[: len(path)] == path for other in mine):
            assert Places(obj, SERVICE).at(path) == Places(live, SERVICE).at(path)


@given(services, specs)
def test_a_merge_patch_takes_only_what_it_names(live: Object, patch: Object) -> None:
    old = created(live)
    new = updated(old, merge_patch(deepcopy(old), {"spec": deepcopy(patch)}), "patcher")
    kept = owners(new).get("maker", set())
    for path in owners(old).get("maker", set()) - HOLDERS:
        if path[0] != "f:spec" or path[1][2:] not in patch:
            assert path in kept
            assert Places(new, SERVICE).at(path) is not MISSING
