"""Rules: what one PolicyRule allows, and whether some rules allow all that another does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from pilotfish.apiserver.errors import quoted
from pilotfish.apiserver.rbac.attributes import Attributes

Rule = dict[str, Any]


def matches(rule: Rule, asked: Attributes) -> bool:
    """Whether a rule speaks of a request; for resources, whatever names it is limited to."""
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and asked.verb not in verbs:
        return False
    if asked.path:
        return any(_is_path(url, asked.path) for url in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if "*" not in groups and asked.group not in groups:
        return False
    return _has_resource(rule.get("resources") or (), asked.resource, asked.subresource)


def allows(rule: Rule, asked: Attributes) -> bool:
    """Whether a rule allows a request."""
    if not matches(rule, asked):
        return False
    names = rule.get("resourceNames")
    return bool(asked.path) or not names or asked.name in names


def _has_resource(resources: Sequence[str], resource: str, subresource: str) -> bool:
    if "*" in resources:
        return True
    if not subresource:
        return resource in resources
    return f"{resource}/{subresource}" in resources or f"*/{subresource}" in resources


def _is_path(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url[:-1]))


def uncovered(owned: Sequence[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The part of the wanted rules that the owned ones do not allow, in its smallest pieces."""
    return [
        piece
        for rule in wanted
        for piece in _pieces(rule)
        if not any(_covers(one, piece) for one in owned)
    ]


def _pieces(rule: Rule) -> Iterator[Rule]:
    """A rule as rules with one verb, group, resource and name each."""
    verbs = rule.get("verbs") or ()
    for verb, url in product(verbs, rule.get("nonResourceURLs") or ()):
        yield {"nonResourceURLs": [url], "verbs": [verb]}
    groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
    names = rule.get("resourceNames") or ()
    for group, resource, verb in product(groups, resources, verbs):
        piece = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        if not names:
            yield piece
        for name in names:
            yield {**piece, "resourceNames": [name]}


def _covers(owned: Rule, piece: Rule) -> bool:
    if not _has(owned, "verbs", piece["verbs"][0]):
        return False
    if "nonResourceURLs" in piece:
        asked = piece["nonResourceURLs"][0]
        return any(_is_path(url, asked) for url in owned.get("nonResourceURLs") or ())
    if not _has(owned, "apiGroups", piece["apiGroups"][0]):
        return False
    resource, _, subresource = piece["resources"][0].partition("/")
    if not _has_resource(owned.get("resources") or (), resource, subresource):
        return False
    names = owned.get("resourceNames")
    return not names or piece.get("resourceNames", [""])[0] in names


def _has(rule: Rule, field: str, value: str) -> bool:
    values = rule.get(field) or ()
    return "*" in values or value in values


def words(rule: Rule) -> str:
    """A rule in a refusal: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`."""
    fields = (
        ("APIGroups", "apiGroups"),
        ("Resources", "resources"),
        ("NonResourceURLs", "nonResourceURLs"),
        ("ResourceNames", "resourceNames"),
        ("Verbs", "verbs"),
    )
    parts = [
        f"{title}:[{' '.join(quoted(value) for value in rule[field])}]"
        for title, field in fields
        if rule.get(field)
    ]
    return "{" + ", ".join(parts) + "}"
