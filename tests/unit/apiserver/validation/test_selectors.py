"""Label selectors are checked wherever the schema of a kind has one."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.validation.selectors import validate_selectors
from pilotfish.objects.meta import Object

BROKEN: Object = {"matchExpressions": [{"key": "a", "operator": "-1"}]}


@pytest.mark.parametrize(
    ("api_version", "kind", "obj", "at"),
    [
        (
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            {"aggregationRule": {"clusterRoleSelectors": [{}, BROKEN]}},
            "aggregationRule.clusterRoleSelectors[1]",
        ),
        ("v1", "PersistentVolumeClaim", {"spec": {"selector": BROKEN}}, "spec.selector"),
        (
            "batch/v1",
            "Job",
            {
                "spec": {
                    "template": {"spec": {"topologySpreadConstraints": [{"labelSelector": BROKEN}]}}
                }
            },
            "spec.template.spec.topologySpreadConstraints[0].labelSelector",
        ),
    ],
)
def test_an_unknown_operator_is_refused_at_its_place(
    api_version: str, kind: str, obj: Object, at: str
) -> None:
    (cause,) = validate_selectors(api_version, kind, obj)
    assert cause.field == f"{at}.matchExpressions[0].operator"
    assert "not a valid selector operator" in cause.message


def test_what_has_no_selector_has_no_faults() -> None:
    assert validate_selectors("v1", "ConfigMap", {"data": {"selector": "x"}}) == []
