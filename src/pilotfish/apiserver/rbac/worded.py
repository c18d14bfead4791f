"""Rules in words: the notation of the tables of default roles."""

from __future__ import annotations

from typing import Any, Final

from pilotfish.apiserver.rbac.rules import Rule

READ: Final = "get list watch"


def rule(verbs: str, groups: str, resources: str, names: str = "") -> Rule:
    """A rule from words; the core group is written ''."""
    found: dict[str, Any] = {
        "apiGroups": ["" if group == "''" else group for group in groups.split()],
        "resources": resources.split(),
        "verbs": verbs.split(),
    }
    if names:
        found["resourceNames"] = names.split()
    return found


def paths(urls: str) -> Rule:
    """The rule that lets somebody read pages that are no resources."""
    return {"nonResourceURLs": urls.split(), "verbs": ["get"]}


EVENTS: Final = rule("create patch update", "'' events.k8s.io", "events")
