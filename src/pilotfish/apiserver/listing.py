"""Lists: a selection of a collection, in pages that all show the same moment."""

from __future__ import annotations

import base64
import re
from typing import Final

import orjson

from pilotfish.apiserver.call import Call
from pilotfish.apiserver.collection import Collection
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.entries import Entry, Page
from pilotfish.apiserver.errors import StatusError, bad_request, expired, quoted
from pilotfish.apiserver.options import check_list_options
from pilotfish.apiserver.selection import Selection, selection_of

_VERSION: Final = re.compile("[0-9]{1,20}")


def list_page(core: Core, call: Call) -> Page:
    """The page that a LIST asks for.

    Raises:
        StatusError: 400 for bad parameters, 410 for a moment no longer remembered.
    """
    check_list_options(call)
    call.number("timeoutSeconds")  # it takes no time, but it has to be a number
    query = call.query
    collection = core.registry.collection(call.resource.full_name)
    selection = selection_of(
        call.resource,
        call.route.namespace,
        query.get("labelSelector", ""),
        query.get("fieldSelector", ""),
    )
    limit = max(call.number("limit") or 0, 0)
    token = query.get("continue", "")
    revision = core.registry.revision
    if token:
        revision, start = _read_token(token, revision)
        entries = collection.select_at(selection, revision)
        entries = [entry for entry in entries if entry.key > start]
    else:
        entries = _at_requested_revision(core, call, collection, selection)
        if query.get("resourceVersionMatch") == "Exact":
            revision = revision_of(query["resourceVersion"])
    if not limit or len(entries) <= limit:
        return Page(entries, revision)
    page = entries[:limit]
    # Kubernetes does not count what a selector would leave.
    counted = not selection.labels and not selection.fields
    remaining = len(entries) - limit if counted else None
    return Page(page, revision, _make_token(revision, page[-1].key), remaining)


def _at_requested_revision(
    core: Core, call: Call, collection: Collection, selection: Selection
) -> list[Entry]:
    """The selection now or, where the client insists, at its resourceVersion."""
    text = call.query.get("resourceVersion", "")
    match = call.query.get("resourceVersionMatch", "")
    revision = revision_of(text)
    if revision > core.registry.revision:
        raise StatusError(
            504,
            "Timeout",
            f"Timeout: Too large resource version: {revision}, current: {core.registry.revision}",
            {
                "retryAfterSeconds": 1,
                "causes": [
                    {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
                ],
            },
        )
    if match == "Exact" and revision:
        return collection.select_at(selection, revision)
    return collection.select(selection)


def revision_of(text: str) -> int:
    """The revision of a resourceVersion parameter; 0 for none.

    Raises:
        StatusError: 400 for what was never a resourceVersion.
    """
    if not text:
        return 0
    if not _VERSION.fullmatch(text) or int(text) >= 2**64:
        raise bad_request(f"resourceVersion: Invalid value: {quoted(text[:100])}")
    return int(text)


def _make_token(revision: int, last_key: str) -> str:
    value = orjson.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": last_key})
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _read_token(token: str, current: int) -> tuple[int, str]:
    try:
        padded = token + "=" * (-len(token) % 4)
        value = orjson.loads(base64.urlsafe_b64decode(padded))
        revision, start = value["rv"], value["start"]
    except (ValueError, KeyError, TypeError) as error:  # no base64, no JSON, no object
        raise bad_request(f"continue key is not valid: {error}") from error
    if type(revision) is not int or revision < 0 or type(start) is not str:
        raise bad_request("continue key is not valid")
    if revision > current:
        raise expired("The provided continue parameter is of another server's history.")
    return revision, start
