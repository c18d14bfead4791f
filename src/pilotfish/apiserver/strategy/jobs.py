"""Jobs: the selector and the template's labels are made from the Job's uid."""

from __future__ import annotations

from pilotfish.objects.meta import Object

CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"


def prepare_for_create(obj: Object) -> None:
    spec = obj["spec"]
    if spec.get("manualSelector") or "template" not in spec:
        return
    uid, name = obj["metadata"].get("uid", ""), obj["metadata"]["name"]
    template_metadata = spec["template"].setdefault("metadata", {})
    labels = template_metadata.get("labels") or {}
    # The unprefixed labels are the ones of before 1.27, kept for old selectors.
    labels |= {CONTROLLER_UID: uid, "controller-uid": uid, JOB_NAME: name, "job-name": name}
    template_metadata["labels"] = labels
    selector = spec.setdefault("selector", {})
    selector.setdefault("matchLabels", {})[CONTROLLER_UID] = uid
