"""Defaults of CronJobs."""

from __future__ import annotations

from pilotfish.apiserver.defaulting.podtemplates import default_template
from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    if not spec.get("concurrencyPolicy"):
        spec["concurrencyPolicy"] = "Allow"
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    default_template(job.get("template"))
