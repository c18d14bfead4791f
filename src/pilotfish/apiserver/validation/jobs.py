"""Validation of Jobs, and of the Jobs that CronJobs make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.validation.causes import (
    Cause,
    immutable,
    invalid,
    not_supported,
    required,
)
from pilotfish.apiserver.validation.formats import NOT_NEGATIVE
from pilotfish.apiserver.validation.templates import validate_selecting, validate_template
from pilotfish.objects.meta import Object

_COUNTS = (
    "activeDeadlineSeconds",
    "backoffLimit",
    "backoffLimitPerIndex",
    "completions",
    "maxFailedIndexes",
    "parallelism",
    "ttlSecondsAfterFinished",
)
_COMPLETION_MODES = ("Indexed", "NonIndexed")
_JOB_RESTARTS = ("OnFailure", "Never")


def validate(obj: Object) -> list[Cause]:
    spec = obj["spec"]
    causes = validate_selecting(spec, "job")
    return causes + validate_job_spec(spec, "spec")


def validate_update(new: Object, old: Object) -> list[Cause]:
    after, before = new["spec"], old["spec"]
    fields = ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "selector"]
    # An Indexed Job may be made larger or smaller; a suspended one may be scheduled elsewhere.
    if after.get("completionMode") != "Indexed":
        fields.append("completions")
    if not before.get("suspend"):
        fields.append("template")
    return [
        immutable(f"spec.{field}", after.get(field))
        for field in fields
        if after.get(field) != before.get(field)
    ]


def validate_job_spec(spec: Mapping[str, Any], path: str) -> list[Cause]:
    causes = [
        invalid(f"{path}.{field}", spec[field], NOT_NEGATIVE)
        for field in _COUNTS
        if (spec.get(field) or 0) < 0
    ]
    mode = spec.get("completionMode")
    if mode is not None and mode not in _COMPLETION_MODES:
        causes.append(not_supported(f"{path}.completionMode", mode, _COMPLETION_MODES))
    if mode == "Indexed" and spec.get("completions") is None:
        why = "when completion mode is Indexed"
        causes.append(required(f"{path}.completions", why))
    template = spec.get("template")
    causes += validate_template(template, f"{path}.template")
    policy = ((template or {}).get("spec") or {}).get("restartPolicy")
    at = f"{path}.template.spec.restartPolicy"
    if policy == "Always":
        causes.append(required(at, 'valid values: "OnFailure", "Never"'))
    elif policy is not None and policy not in _JOB_RESTARTS:
        causes.append(not_supported(at, policy, _JOB_RESTARTS))
    return causes
