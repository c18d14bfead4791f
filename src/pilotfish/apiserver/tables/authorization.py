"""The tables of rbac.authorization.k8s.io: roles and whom they are bound to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables.durations import age
from pilotfish.apiserver.tables.printer import Cells, KindTable, columns


def _role_cells(obj: Mapping[str, Any]) -> Cells:
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp", "")]


def _binding_cells(obj: Mapping[str, Any]) -> Cells:
    role = obj.get("roleRef") or {}
    subjects = obj.get("subjects") or ()
    accounts = (
        f"{subject.get('namespace', '')}/{subject.get('name', '')}"
        for subject in subjects
        if subject.get("kind") == "ServiceAccount"
    )
    return [
        obj["metadata"]["name"],
        f"{role.get('kind', '')}/{role.get('name', '')}",
        age(obj),
        ", ".join(subject.get("name", "") for subject in subjects if subject.get("kind") == "User"),
        ", ".join(
            subject.get("name", "") for subject in subjects if subject.get("kind") == "Group"
        ),
        ", ".join(accounts),
    ]


ROLES = KindTable(columns("Name | Created At"), _role_cells)
ROLE_BINDINGS = KindTable(
    columns("Name | Role | Age | Users+ | Groups+ | ServiceAccounts+"), _binding_cells
)
