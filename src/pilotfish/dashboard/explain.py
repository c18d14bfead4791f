"""What is noteworthy of a Service, and what to do about it. Pure.

Each finding is told once, by whoever knows most: a Service without Pods is not told as well that
its requests fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotfish.dashboard import explain_kernels, explain_setup, explain_traffic

if TYPE_CHECKING:
    from pilotfish.dashboard.messages import Finding
    from pilotfish.dashboard.subject import Subject

_ORDER = ("error", "warning", "note", "good")


def explain(subject: Subject) -> list[Finding]:
    """Findings, gravest first; one that says that all is well where there is nothing else."""
    found = [
        *explain_setup.findings(subject),
        *explain_kernels.findings(subject),
        *explain_traffic.findings(subject),
    ]
    if not any(each["severity"] in ("error", "warning") for each in found) and subject.ready:
        found.append(_all_is_well(subject))
    return sorted(found, key=lambda each: _ORDER.index(each["severity"]))


def _all_is_well(subject: Subject) -> Finding:
    count = len(subject.ready)
    ready = "the endpoint is ready" if count == 1 else f"all {count} endpoints are ready"
    known = ", and the kernels hold them" if subject.kernel else ""
    return {"severity": "good", "what": f"{ready}{known}", "mend": ""}
