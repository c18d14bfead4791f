"""A container's AppArmor profile: its name as config.json has it, and whether it can be had.

https://kubernetes.io/docs/tutorials/security/apparmor/
"""

from __future__ import annotations

from pathlib import Path

from pilotfish.objects.meta import Object, annotations_of

_ENABLED = Path("/sys/module/apparmor/parameters/enabled")
_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_OF_ANNOTATION = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault"}


def apparmor_enabled(file: Path = _ENABLED) -> bool:
    """Whether the kernel of this machine has AppArmor switched on."""
    try:
        return file.read_text().startswith("Y")
    except OSError:
        return False


def apparmor_profile(pod: Object, container: Object) -> tuple[str, str]:
    """(type, localhostProfile): the container's own before the Pod's; ("", "") for none.

    The annotation of before Kubernetes 1.30 holds where no field does.
    """
    own = container.get("securityContext") or {}
    of_pod = pod.get("spec", {}).get("securityContext") or {}
    profile = own.get("appArmorProfile") or of_pod.get("appArmorProfile")
    if profile:
        return profile.get("type", ""), profile.get("localhostProfile", "")
    text = annotations_of(pod).get(_ANNOTATION + container.get("name", ""), "")
    if text.startswith("localhost/"):
        return "Localhost", text.removeprefix("localhost/")
    return _OF_ANNOTATION.get(text, ""), ""
