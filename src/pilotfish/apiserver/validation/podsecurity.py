"""The labels by which a namespace asks for Pod Security Standards.

https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from __future__ import annotations

import re
from typing import Final

from pilotfish.apiserver.validation.causes import Cause, invalid
from pilotfish.objects.meta import Object, labels_of

PREFIX: Final = "pod-security.kubernetes.io/"
_LEVELS: Final = ("privileged", "baseline", "restricted")
_MODES: Final = ("enforce", "audit", "warn")
_VERSION: Final = re.compile(r"latest|v1\.(0|[1-9][0-9]*)")


def validate_labels(namespace: Object, old: Object | None = None) -> list[Cause]:
    """What is wrong with the namespace's levels and versions; nothing that `old` had as well."""
    causes = _faults(namespace)
    return [] if old is not None and causes == _faults(old) else causes


def _faults(namespace: Object) -> list[Cause]:
    labels = labels_of(namespace)
    causes = []
    for mode in _MODES:
        level = f"{PREFIX}{mode}"
        if level in labels and labels[level] not in _LEVELS:
            why = f"must be one of {', '.join(_LEVELS)}"
            causes.append(invalid(f"metadata.labels[{level}]", labels[level], why))
        version = f"{level}-version"
        if version in labels and not _VERSION.fullmatch(labels[version]):
            why = 'must be "latest" or "v1.x"'
            causes.append(invalid(f"metadata.labels[{version}]", labels[version], why))
    return causes


def not_enforced(namespace: Object) -> list[str]:
    """The modes that the namespace asks for, "enforce=restricted", which nothing here enforces."""
    labels = labels_of(namespace)
    return [
        f"{mode}={labels[PREFIX + mode]}"
        for mode in _MODES
        if labels.get(PREFIX + mode, "privileged") != "privileged"
    ]
