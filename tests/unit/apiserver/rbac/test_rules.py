"""What a rule allows, and whether rules allow all that others do."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.rbac.rules import Rule, allows, uncovered, words

PODS: Rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
ONE: Rule = {
    "apiGroups": [""],
    "resources": ["configmaps"],
    "resourceNames": ["one"],
    "verbs": ["get"],
}
EVERYTHING: Rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


@pytest.mark.parametrize(
    ("rule", "asked", "allowed"),
    [
        (PODS, Attributes("get", "", "pods"), True),
        (PODS, Attributes("delete", "", "pods"), False),
        (PODS, Attributes("get", "apps", "pods"), False),
        (PODS, Attributes("get", "", "pods", "log"), False),
        ({**PODS, "resources": ["pods/log"]}, Attributes("get", "", "pods", "log"), True),
        ({**PODS, "resources": ["pods/log"]}, Attributes("get", "", "pods"), False),
        ({**PODS, "resources": ["*/log"]}, Attributes("get", "", "pods", "log"), True),
        (ONE, Attributes("get", "", "configmaps", name="one"), True),
        (ONE, Attributes("get", "", "configmaps", name="two"), False),
        (ONE, Attributes("list", "", "configmaps"), False),
        (EVERYTHING, Attributes("impersonate", "", "users", name="x"), True),
        (EVERYTHING, Attributes("get", path="/metrics"), False),
        (
            {"nonResourceURLs": ["/api/*"], "verbs": ["get"]},
            Attributes("get", path="/api/v1"),
            True,
        ),
        ({"nonResourceURLs": ["/api"], "verbs": ["get"]}, Attributes("get", path="/api/v1"), False),
        ({"nonResourceURLs": ["*"], "verbs": ["*"]}, Attributes("get", path="/metrics"), True),
    ],
)
def test_a_rule_allows_what_it_names(rule: Rule, asked: Attributes, allowed: bool) -> None:
    assert allows(rule, asked) is allowed


def test_what_is_owned_is_covered() -> None:
    assert uncovered([PODS], [PODS]) == []
    assert uncovered([EVERYTHING], [PODS, ONE]) == []
    halves = [{**PODS, "verbs": ["get"]}, {**PODS, "verbs": ["list"]}]
    assert uncovered(halves, [PODS]) == []


def test_only_what_is_lacking_is_uncovered() -> None:
    wanted = {**PODS, "verbs": ["get", "delete"]}
    assert uncovered([PODS], [wanted]) == [{**PODS, "verbs": ["delete"]}]


def test_a_name_does_not_cover_all_names() -> None:
    assert uncovered([ONE], [{key: ONE[key] for key in ONE if key != "resourceNames"}])
    assert uncovered([PODS], [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}])


def test_a_rule_is_put_in_kubernetes_words() -> None:
    assert words(PODS) == '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}'
