"""The tables of the API's own machinery: namespaces, leases, certificates, admission, runtimes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pilotfish.apiserver.tables.durations import age, human_duration
from pilotfish.apiserver.tables.printer import NONE, UNSET, Cells, KindTable, columns


def _named_cells(obj: Mapping[str, Any]) -> Cells:
    return [obj["metadata"]["name"], age(obj)]


def _created_cells(obj: Mapping[str, Any]) -> Cells:
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp", "")]


def _namespace_cells(obj: Mapping[str, Any]) -> Cells:
    return [obj["metadata"]["name"], (obj.get("status") or {}).get("phase", ""), age(obj)]


def _lease_cells(obj: Mapping[str, Any]) -> Cells:
    return [obj["metadata"]["name"], (obj.get("spec") or {}).get("holderIdentity", ""), age(obj)]


def _signing_request_cells(obj: Mapping[str, Any]) -> Cells:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    words = [entry.get("type", "") for entry in status.get("conditions") or ()]
    if status.get("certificate"):
        words.append("Issued")
    lasts = spec.get("expirationSeconds")
    return [
        obj["metadata"]["name"],
        age(obj),
        spec.get("signerName", ""),
        spec.get("username", ""),
        human_duration(lasts) if lasts else NONE,
        ",".join(words) or "Pending",
    ]


def _webhooks_cells(obj: Mapping[str, Any]) -> Cells:
    return [obj["metadata"]["name"], len(obj.get("webhooks") or ()), age(obj)]


def _admission_policy_cells(obj: Mapping[str, Any]) -> Cells:
    spec = obj.get("spec") or {}
    rules = spec.get("validations") or spec.get("mutations") or ()
    kind = spec.get("paramKind")
    shown = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET
    return [obj["metadata"]["name"], len(rules), shown, age(obj)]


def _admission_binding_cells(obj: Mapping[str, Any]) -> Cells:
    spec = obj.get("spec") or {}
    parameters = spec.get("paramRef")
    shown = UNSET
    if parameters:
        shown = parameters.get("name") or "*"
        if parameters.get("namespace"):
            shown = f"{parameters['namespace']}/{shown}"
    return [obj["metadata"]["name"], spec.get("policyName", ""), shown, age(obj)]


def _runtime_class_cells(obj: Mapping[str, Any]) -> Cells:
    return [obj["metadata"]["name"], obj.get("handler", ""), age(obj)]


def _flow_schema_cells(obj: Mapping[str, Any]) -> Cells:
    spec = obj.get("spec") or {}
    missing = "?"
    for entry in (obj.get("status") or {}).get("conditions") or ():
        if entry.get("type") == "Dangling":
            missing = entry.get("status", "?")
    return [
        obj["metadata"]["name"],
        (spec.get("priorityLevelConfiguration") or {}).get("name", ""),
        spec.get("matchingPrecedence", 0),
        (spec.get("distinguisherMethod") or {}).get("type") or NONE,
        age(obj),
        missing,
    ]


GENERIC = KindTable(columns("Name | Age"), _named_cells)
CREATED = KindTable(columns("Name | Created At"), _created_cells)
NAMESPACES = KindTable(columns("Name | Status | Age"), _namespace_cells)
LEASES = KindTable(columns("Name | Holder | Age"), _lease_cells)
SIGNING_REQUESTS = KindTable(
    columns("Name | Age | SignerName | Requestor | RequestedDuration | Condition"),
    _signing_request_cells,
)
WEBHOOKS = KindTable(columns("Name | Webhooks# | Age"), _webhooks_cells)
VALIDATING_POLICIES = KindTable(
    columns("Name | Validations# | ParamKind | Age"), _admission_policy_cells
)
MUTATING_POLICIES = KindTable(
    columns("Name | Mutations# | ParamKind | Age"), _admission_policy_cells
)
ADMISSION_BINDINGS = KindTable(
    columns("Name | PolicyName | ParamRef | Age"), _admission_binding_cells
)
RUNTIME_CLASSES = KindTable(columns("Name | Handler | Age"), _runtime_class_cells)
FLOW_SCHEMAS = KindTable(
    columns(
        "Name | PriorityLevel | MatchingPrecedence# | DistinguisherMethod | Age | MissingPL",
    ),
    _flow_schema_cells,
)
