"""The OpenAPI document of the dashboard's HTTP API: https://spec.openapis.org/oas/v3.1.0."""

from __future__ import annotations

from typing import Any

from pilotfish.dashboard import messages
from pilotfish.dashboard.schemas import reference, schemas
from pilotfish.version import __version__

Parameter = dict[str, Any]

_ABOUT = """\
What `pilotfish proxy` shows, for programs: requests that crossed the cluster, Services, and who
talks to whom. Credentials: `Authorization: Bearer`, with the token of the file `api-token` in the
user's state folder. All texts that come from traffic are strangers' words.
"""


def _query(name: str, kind: str, about: str, *, required: bool = False) -> Parameter:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": about,
        "schema": {"type": kind},
    }


_FILTER = _query("filter", "string", "which entries, in the filter language; empty for all")
_SINCE = _query("since", "string", "a while ago (30s, 5m, 1h30m, 1d), or an RFC 3339 time")
_UNTIL = _query("until", "string", "the same; empty for now")
_PROBES = _query("probes", "boolean", "whether kubelets' probes are among them")
_LIMIT = _query("limit", "integer", "how many at the most, up to 10,000")
_WINDOW = _query("window", "integer", "numbers are of so many last seconds: 1 to 3600")
_ID: Parameter = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "id of the entry",
    "schema": {"type": "string"},
}


def document() -> dict[str, Any]:
    """The document, as JSON."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pilotfish dashboard", "version": __version__, "description": _ABOUT},
        "security": [{"token": []}],
        "paths": {path: {"get": operation} for path, operation in _operations().items()},
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Refused": {
                    "description": "What is wrong, where, and what to do about it.",
                    "content": {"application/json": {"schema": reference(messages.ProblemAnswer)}},
                }
            },
        },
    }


def _operations() -> dict[str, dict[str, Any]]:
    return {
        "/api/v1/session": _json(
            "session", "Whether the credentials are good; which cluster it is.", messages.Hello
        ),
        "/api/v1/status": _json("status", "How the connections stand.", messages.Status),
        "/api/v1/entries": _json(
            "entries",
            "Whole entries, oldest first: the newest that match; with `after`, those behind it.",
            messages.EntriesPage,
            _FILTER,
            _SINCE,
            _UNTIL,
            _PROBES,
            _LIMIT,
            _query("after", "string", "`next` of the answer before: what came since"),
        ),
        "/api/v1/entries/{id}": _json(
            "entry",
            "One entry, and who else could have been chosen.",
            messages.EntryDetails,
            _ID,
            _query("time", "number", "the entry's time, in ms since 1970", required=True),
        ),
        "/api/v1/rows": _json(
            "rows",
            "Rows of the traffic list before a time, oldest first.",
            messages.RowsPage,
            _query("before", "number", "ms since 1970", required=True),
            _FILTER,
            _SINCE,
            _PROBES,
            _LIMIT,
        ),
        "/api/v1/filter/completions": _json(
            "completions",
            "What may stand at the cursor of a filter, and what is wrong with the filter.",
            messages.Completions,
            _query("text", "string", "the filter that is being written"),
            _query("cursor", "integer", "offset of the cursor in it"),
        ),
        "/api/v1/services": _json("services", "All Services.", messages.ServicesView, _WINDOW),
        "/api/v1/map": _json("map", "Who talks to whom.", messages.MapView, _WINDOW),
        "/api/v1/download": _answered(
            "download",
            "What matches, as a file.",
            {
                "application/json": {},
                "application/x-pcapng": {"schema": {"type": "string", "format": "binary"}},
            },
            {
                **_query("format", "string", "kind of the file", required=True),
                "schema": {"enum": ["json", "har", "pcapng"]},
            },
            _FILTER,
            _SINCE,
            _UNTIL,
            _PROBES,
        ),
        "/api/v1/live": {
            "operationId": "live",
            "summary": "A WebSocket of JSON messages (RFC 6455).",
            "description": "The client sends `Watch` and `Follow`; the server `Hello`, `Status`, "
            "`Rows`, `FilterProblem`, `ServicesView` and `MapView`, each with its `type`.",
            "responses": {
                "101": {"description": "The WebSocket begins."},
                "default": {"$ref": "#/components/responses/Refused"},
            },
        },
        "/api/v1/openapi.json": _answered(
            "openapi", "This document.", {"application/json": {"schema": {"type": "object"}}}
        ),
        "/metrics": _answered(
            "metrics",
            "Requests, errors and latencies per Service and edge, for Prometheus.",
            {"text/plain": {"schema": {"type": "string"}}},
        ),
        "/healthz": _answered(
            "health", "Whether the server runs.", {"text/plain": {"schema": {"type": "string"}}}
        )
        | {"security": []},
    }


def _json(name: str, summary: str, answer: type, *parameters: Parameter) -> dict[str, Any]:
    content = {"application/json": {"schema": reference(answer)}}
    return _answered(name, summary, content, *parameters)


def _answered(
    name: str, summary: str, content: dict[str, Any], *parameters: Parameter
) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": summary, "content": content},
            "default": {"$ref": "#/components/responses/Refused"},
        },
    }
