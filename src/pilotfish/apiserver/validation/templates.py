"""Validation of pod templates together with the selector that has to find their Pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    immutable,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import NOT_NEGATIVE
from pilotfish.apiserver.validation.metadata import validate_template_metadata
from pilotfish.apiserver.validation.podspecs import validate_pod_spec
from pilotfish.apiserver.validation.selectors import validate_selector
from pilotfish.objects.meta import Object
from pilotfish.objects.selectors import label_selector

Spec = Mapping[str, Any]


def validate_template(template: Spec | None, path: str, claims: Iterable[str] = ()) -> list[Cause]:
    """A pod template by itself."""
    if template is None:
        return [required(path)]
    metadata = template.get("metadata") or {}
    causes = validate_template_metadata(metadata, f"{path}.metadata")
    return causes + validate_pod_spec(template.get("spec") or {}, f"{path}.spec", claims)


def validate_long_running(
    spec: Spec, kind: str, workload: str, claims: Iterable[str] = ()
) -> list[Cause]:
    """Selector and template of a kind whose Pods run forever.

    `kind` is as it stands in messages on the template, `workload` as in those on the selector.
    """
    causes = validate_selecting(spec, workload)
    template = spec.get("template")
    causes += validate_template(template, "spec.template", claims)
    pod = (template or {}).get("spec") or {}
    policy = pod.get("restartPolicy")
    if policy not in (None, "Always"):
        causes.append(not_supported("spec.template.spec.restartPolicy", policy, ("Always",)))
    if pod.get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {kind} is not Supported"
        causes.append(forbidden("spec.template.spec.activeDeadlineSeconds", why))
    return causes


def validate_selecting(spec: Spec, workload: str) -> list[Cause]:
    """The selector is there and selects the template's Pods; `selectors` checks its form."""
    selector = spec.get("selector")
    if selector is None:
        return [required("spec.selector")]
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        why = f"empty selector is invalid for {workload}"
        return [invalid("spec.selector", selector, why)]
    if spec.get("template") is None or validate_selector(selector, "spec.selector"):
        return []
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if not label_selector(selector).matches(labels):
        why = "`selector` does not match template `labels`"
        return [invalid("spec.template.metadata.labels", labels, why)]
    return []


def validate_counts(spec: Spec, *fields: str) -> list[Cause]:
    """Numbers of things or seconds, none of which can be negative."""
    return [
        invalid(f"spec.{field}", spec[field], NOT_NEGATIVE)
        for field in fields
        if (spec.get(field) or 0) < 0
    ]


def validate_selector_kept(new: Object, old: Object) -> list[Cause]:
    """The selector decides which Pods belong to the object, so it stays."""
    selector = new["spec"].get("selector")
    if selector == old["spec"].get("selector"):
        return []
    return [immutable("spec.selector", selector)]
