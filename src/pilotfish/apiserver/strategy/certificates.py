"""CertificateSigningRequests: approving and signing change different parts of the status."""

from __future__ import annotations

from typing import Any, Final

from pilotfish.objects.meta import Object

# The conditions that only `approval` sets; Failed is the signer's.
_DECISIONS: Final = ("Approved", "Denied")


def keep_for(subresource: str, new: Object, old: Object) -> None:
    """Take from the old status, in place, what a write of `approval` or `status` cannot change."""
    if subresource == "approval":
        _keep_for_approval(new, old)
    else:
        _keep_for_status(new, old)


def _keep_for_approval(new: Object, old: Object) -> None:
    """Keep all of the old status but the conditions: approving is not signing."""
    conditions = (new.get("status") or {}).get("conditions")
    new["status"] = dict(old.get("status") or {})
    new["status"].pop("conditions", None)
    if conditions:
        new["status"]["conditions"] = conditions


def _keep_for_status(new: Object, old: Object) -> None:
    """Keep the old decisions: signing is not approving."""
    kept = [each for each in _conditions(new) if each.get("type") not in _DECISIONS]
    decisions = [each for each in _conditions(old) if each.get("type") in _DECISIONS]
    status = new["status"] = dict(new.get("status") or {})
    status.pop("conditions", None)
    if decisions or kept:
        status["conditions"] = [*decisions, *kept]


def _conditions(request: Object) -> list[dict[str, Any]]:
    return (request.get("status") or {}).get("conditions") or []
