"""Defaults of Jobs."""

from __future__ import annotations

from pilotfish.apiserver.defaulting.podtemplates import default_template
from pilotfish.objects.meta import Object

_UNLIMITED = 2**31 - 1


def apply_defaults(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    # Only parallelism set means a work queue, whose completions stay unset.
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    per_index = "backoffLimitPerIndex" in spec
    spec.setdefault("backoffLimit", _UNLIMITED if per_index else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    if "podFailurePolicy" in spec:
        spec.setdefault("podReplacementPolicy", "Failed")
        for rule in spec["podFailurePolicy"].get("rules") or ():
            for pattern in rule.get("onPodConditions") or ():
                pattern.setdefault("status", "True")
    else:
        spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
    default_template(spec.get("template"))
