"""Defaults of pod templates and PodTemplates: what every PodSpec gets, bare or in a template."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.defaulting import containers, volumes
from pilotfish.apiserver.defaulting.quantities import canonicalize
from pilotfish.objects.meta import Object


def apply_defaults(obj: Object) -> None:
    default_template(obj.get("template"))


def default_template(template: dict[str, Any] | None) -> None:
    """The defaults of a pod template, in place; a missing one is validation's business."""
    if template is not None and template.get("spec") is not None:
        default_pod_spec(template["spec"])


def default_pod_spec(spec: dict[str, Any]) -> None:
    if not spec.get("dnsPolicy"):
        spec["dnsPolicy"] = "ClusterFirst"
    if not spec.get("restartPolicy"):
        spec["restartPolicy"] = "Always"
    if not spec.get("schedulerName"):
        spec["schedulerName"] = "default-scheduler"
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    # serviceAccount is the old name of serviceAccountName; the API keeps both alike.
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(group) or ():
            containers.default_container(container)
    for volume in spec.get("volumes") or ():
        volumes.default_volume(volume)
    canonicalize(spec.get("overhead"))
