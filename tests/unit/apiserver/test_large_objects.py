"""Work on large objects grows with their size, not with its square, or these tests never end.

A list of 40,000 elements compared with itself one by one is 10^9 steps.
"""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.apply.applying import apply_configuration
from pilotfish.apiserver.owners import drop_duplicate_owners
from pilotfish.apiserver.patches.strategic import strategic_merge_patch
from pilotfish.apiserver.rbac.aggregation import aggregated_rules
from pilotfish.apiserver.validation.pods import validate_update
from pilotfish.objects.meta import Object
from pilotfish.objects.schema import schema_for

MANY = 40_000
POD = schema_for("v1", "Pod")


def pod(**spec: Any) -> Object:
    metadata = {"name": "p", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def env(count: int) -> Object:
    variables = [{"name": f"E{number}", "value": "v"} for number in range(count)]
    return pod(containers=[{"name": "c", "env": variables}])


def test_many_elements_are_applied_and_given_up() -> None:
    live = apply_configuration(env(MANY), env(MANY), POD, "m")
    assert len(live["spec"]["containers"][0]["env"]) == MANY
    again = apply_configuration(live, env(1), POD, "m", force=True)
    assert again["spec"]["containers"][0]["name"] == "c"


def test_many_elements_are_merged_by_a_strategic_patch() -> None:
    patch = {"spec": env(MANY)["spec"]}
    patched = strategic_merge_patch(env(MANY), patch, POD)
    assert len(patched["spec"]["containers"][0]["env"]) == MANY


def test_many_owners_are_told_apart() -> None:
    owners = [{"uid": f"u{number}", "name": "n"} for number in range(MANY)]
    obj = {"metadata": {"ownerReferences": [*owners, owners[0]]}}
    warnings: list[str] = []
    drop_duplicate_owners(obj, warnings)
    assert obj["metadata"]["ownerReferences"] == owners
    assert "[u0]" in warnings[0]


def test_many_tolerations_are_kept() -> None:
    tolerations = [{"key": f"k{number}", "operator": "Exists"} for number in range(MANY)]
    old = pod(containers=[], tolerations=tolerations)
    new = pod(containers=[], tolerations=[*tolerations, {"operator": "Exists"}])
    assert validate_update(new, old) == []
    fewer = pod(containers=[], tolerations=tolerations[1:])
    assert [cause.field for cause in validate_update(fewer, old)] == ["spec.tolerations"]


def test_many_rules_are_aggregated() -> None:
    rules = [{"verbs": ["get"], "resources": [f"r{number}"]} for number in range(MANY)]
    roles = [{"metadata": {"name": name, "labels": {"a": "b"}}, "rules": rules} for name in "xy"]
    whole = {
        "metadata": {"name": "z"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
    }
    assert aggregated_rules(whole, [*roles, whole]) == rules
