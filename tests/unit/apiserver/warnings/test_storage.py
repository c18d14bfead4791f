"""Warnings about volumes, claims, and classes of storage and of runtimes."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.apiserver.warnings.registry import warnings_of
from pilotfish.objects.resources import resource

_ZONE = "failure-domain.beta.kubernetes.io/zone"
_ZONE_OLD = 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
_CLASS = "volume.beta.kubernetes.io/storage-class"
_CLASS_OLD = (
    f'metadata.annotations[{_CLASS}]: deprecated since v1.8; use "storageClassName" attribute '
    "instead"
)
_BY_ZONE = {"key": _ZONE, "operator": "Exists"}


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        (
            "persistentvolumes",
            {
                "metadata": {"name": "a", "annotations": {_CLASS: "x"}},
                "spec": {
                    "persistentVolumeReclaimPolicy": "Recycle",
                    "cephfs": {},
                    "nodeAffinity": {
                        "required": {"nodeSelectorTerms": [{"matchExpressions": [_BY_ZONE]}]}
                    },
                },
            },
            [
                _CLASS_OLD,
                "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: "
                f"{_ZONE} is {_ZONE_OLD}",
                "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. "
                "Instead, the recommended approach is to use dynamic provisioning.",
                "spec.cephfs: deprecated in v1.28, non-functional in v1.31+",
            ],
        ),
        (
            "persistentvolumeclaims",
            {
                "metadata": {"name": "a", "annotations": {_CLASS: "x"}},
                "spec": {"resources": {"requests": {"storage": "1500m"}}},
            },
            [
                _CLASS_OLD,
                'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, '
                "must be an integer",
            ],
        ),
        ("persistentvolumeclaims", {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}, []),
        (
            "storageclasses.storage.k8s.io",
            {"allowedTopologies": [{"matchLabelExpressions": [{"key": _ZONE, "values": ["a"]}]}]},
            [f"allowedTopologies[0].matchLabelExpressions[0].key: {_ZONE_OLD}"],
        ),
        (
            "csistoragecapacities.storage.k8s.io",
            {"nodeTopology": {"matchExpressions": [_BY_ZONE], "matchLabels": {_ZONE: "a"}}},
            [
                f"nodeTopology.matchExpressions[0].key: {_ZONE} is {_ZONE_OLD}",
                f"nodeTopology.matchLabels.{_ZONE}: {_ZONE_OLD}",
            ],
        ),
        (
            "runtimeclasses.node.k8s.io",
            {"handler": "x", "scheduling": {"nodeSelector": {_ZONE: "a"}}},
            [f"scheduling.nodeSelector: {_ZONE_OLD}"],
        ),
        (
            "pods",
            {
                "spec": {
                    "volumes": [
                        {"name": "s", "storageos": {}},
                        {
                            "name": "e",
                            "ephemeral": {
                                "volumeClaimTemplate": {
                                    "spec": {"resources": {"limits": {"storage": "1m"}}}
                                }
                            },
                        },
                    ]
                }
            },
            [
                "spec.volumes[0].storageOS: deprecated in v1.22, non-functional in v1.25+",
                "spec.volumes[1].ephemeral.volumeClaimTemplate.spec.resources.limits[storage]: "
                'fractional byte value "1m" is invalid, must be an integer',
            ],
        ),
    ],
)
def test_what_is_taken_is_warned_about(name: str, fields: dict[str, Any], said: list[str]) -> None:
    new = {"metadata": {"name": "a"}, **fields}
    assert [one for one in warnings_of(resource(name), new) if "is stored, but" not in one] == said
