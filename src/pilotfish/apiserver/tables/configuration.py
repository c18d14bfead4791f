"""The tables of what Pods are given: ConfigMaps, Secrets, ServiceAccounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables.durations import age
from pilotfish.apiserver.tables.printer import Cells, KindTable, columns


def _config_map_cells(obj: Mapping[str, Any]) -> Cells:
    entries = len(obj.get("data") or ()) + len(obj.get("binaryData") or ())
    return [obj["metadata"]["name"], entries, age(obj)]


def _secret_cells(obj: Mapping[str, Any]) -> Cells:
    return [obj["metadata"]["name"], obj.get("type", ""), len(obj.get("data") or ()), age(obj)]


def _service_account_cells(obj: Mapping[str, Any]) -> Cells:
    return [obj["metadata"]["name"], len(obj.get("secrets") or ()), age(obj)]


CONFIG_MAPS = KindTable(columns("Name | Data# | Age"), _config_map_cells)
SECRETS = KindTable(columns("Name | Type | Data# | Age"), _secret_cells)
SERVICE_ACCOUNTS = KindTable(columns("Name | Secrets# | Age"), _service_account_cells)
