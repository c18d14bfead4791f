"""Kinds that are stored although nothing here acts on them: their authors are told on create.

One table for the warnings; a test compares it to docs/reference/kubernetes.md. Remove a
line when something begins to act on its kind.
"""

from __future__ import annotations

from typing import Final

_ADMISSION: Final = "admissionregistration.k8s.io"
_STORAGE: Final = "storage.k8s.io"
_DEVICES: Final = "resource.k8s.io"
_NO_POLICY: Final = "admission policies are not enforced here: requests are not checked by it"
_NO_MUTATION: Final = "mutating policies are not applied here: objects are not changed by it"
_NO_WEBHOOK: Final = "admission webhooks are not called here"
_NO_VOLUMES: Final = "no volume is provisioned or bound here unless you run a controller for it"
_NO_DEVICES: Final = "devices are not allocated here"
_NO_CSI: Final = "CSI drivers are not called here"
_NO_FAIRNESS: Final = "requests are not queued by priority here"

# The consequence, by group and kind.
NOT_ACTED_ON: Final[dict[tuple[str, str], str]] = {
    ("", "LimitRange"): "what it limits or gives by default is not enforced here",
    ("", "PersistentVolume"): _NO_VOLUMES,
    ("", "PersistentVolumeClaim"): _NO_VOLUMES,
    ("", "ResourceQuota"): "what it allows is not enforced here",
    (_ADMISSION, "MutatingAdmissionPolicy"): _NO_MUTATION,
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): _NO_MUTATION,
    (_ADMISSION, "MutatingWebhookConfiguration"): _NO_WEBHOOK,
    (_ADMISSION, "ValidatingAdmissionPolicy"): _NO_POLICY,
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): _NO_POLICY,
    (_ADMISSION, "ValidatingWebhookConfiguration"): _NO_WEBHOOK,
    ("apiregistration.k8s.io", "APIService"): "requests are not passed on to other API servers",
    ("autoscaling", "HorizontalPodAutoscaler"): "nothing is scaled by it here",
    ("certificates.k8s.io", "CertificateSigningRequest"): (
        "no certificate is issued here unless you run a signer"
    ),
    ("certificates.k8s.io", "ClusterTrustBundle"): "no Pod gets it: its volumes are refused",
    ("certificates.k8s.io", "PodCertificateRequest"): (
        "no certificate is issued here unless you run a signer"
    ),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): _NO_FAIRNESS,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): _NO_FAIRNESS,
    ("networking.k8s.io", "Ingress"): (
        "no traffic is routed by it unless you run an ingress controller"
    ),
    ("networking.k8s.io", "IngressClass"): (
        "no traffic is routed by it unless you run an ingress controller"
    ),
    ("networking.k8s.io", "NetworkPolicy"): "no traffic is held back by it here",
    (_DEVICES, "DeviceClass"): _NO_DEVICES,
    (_DEVICES, "DeviceTaintRule"): _NO_DEVICES,
    (_DEVICES, "ResourceClaim"): _NO_DEVICES,
    (_DEVICES, "ResourceClaimTemplate"): _NO_DEVICES,
    (_DEVICES, "ResourceSlice"): _NO_DEVICES,
    (_STORAGE, "CSIDriver"): _NO_CSI,
    (_STORAGE, "CSINode"): _NO_CSI,
    (_STORAGE, "CSIStorageCapacity"): _NO_CSI,
    (_STORAGE, "StorageClass"): _NO_VOLUMES,
    (_STORAGE, "VolumeAttachment"): _NO_CSI,
    (_STORAGE, "VolumeAttributesClass"): _NO_CSI,
    ("storagemigration.k8s.io", "StorageVersionMigration"): "no stored object is rewritten by it",
}


def warning(group: str, kind: str) -> str:
    """The warning for the author of an object of the kind; "" when something acts on it."""
    consequence = NOT_ACTED_ON.get((group, kind))
    return f"{kind} is stored, but {consequence}" if consequence else ""
