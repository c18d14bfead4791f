"""Validation of ReplicationControllers, whose selector is a plain map."""

from __future__ import annotations

from pilotfish.apiserver.validation.causes import Cause, invalid, not_supported, required
from pilotfish.apiserver.validation.metadata import validate_labels
from pilotfish.apiserver.validation.templates import validate_counts, validate_template
from pilotfish.objects.meta import Object


def validate(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes = validate_counts(spec, "replicas", "minReadySeconds")
    selector, template = spec.get("selector") or {}, spec.get("template")
    if not selector:
        causes.append(required("spec.selector"))
    causes += validate_labels(selector, "spec.selector")
    causes += validate_template(template, "spec.template")
    if template is None:
        return causes
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector and not selector.items() <= labels.items():
        why = "`selector` does not match template `labels`"
        causes.append(invalid("spec.template.metadata.labels", labels, why))
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy not in (None, "Always"):
        causes.append(not_supported("spec.template.spec.restartPolicy", policy, ("Always",)))
    return causes
