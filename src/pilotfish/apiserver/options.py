"""Options: the query parameters of reads and writes, checked as kube-apiserver checks them.

The rules are those of apimachinery's `ValidateCreateOptions` and its siblings, and of
`ValidateListOptions`; a wrong value is 422 with the field's name.
"""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.call import Call
from pilotfish.apiserver.content import APPLY_PATCH
from pilotfish.apiserver.errors import StatusError, bad_request, invalid
from pilotfish.apiserver.validation.causes import (
    Cause,
    forbidden,
    not_supported,
    required,
    too_long,
)
from pilotfish.apiserver.validation.causes import invalid as invalid_field

_GROUP: Final = "meta.k8s.io"
_LEVELS: Final = ("Ignore", "Strict", "Warn")
_LONGEST_MANAGER: Final = 128
_KINDS: Final = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}
_MATCHES: Final = ("Exact", "NotOlderThan", "")


def check_write_options(method: str, call: Call) -> None:
    """See that a create, update or patch has options that make sense; a DELETE has its own.

    Raises:
        StatusError: 422 for those that do not.
    """
    kind = _KINDS.get(method)
    if kind is None:
        return
    causes: list[Cause] = []
    if method == "PATCH":
        if call.content.media_type != APPLY_PATCH:
            if "force" in call.query:
                causes.append(forbidden("force", "may not be specified for non-apply patch"))
        elif not call.query.get("fieldManager"):
            causes.append(required("fieldManager", "is required for apply patch"))
    causes += _check_manager(call.query.get("fieldManager", ""))
    causes += check_dry_run(call.query.get("dryRun"))
    level = call.query.get("fieldValidation", "")
    if level and level not in _LEVELS:
        causes.append(not_supported("fieldValidation", level, _LEVELS))
    _refuse(kind, causes)


def check_dry_run(value: str | None) -> list[Cause]:
    """What is wrong with a `dryRun` parameter."""
    return [] if value in (None, "", "All") else [not_supported("dryRun", [value], ["All"])]


def check_list_options(call: Call) -> None:
    """See that a list, or the deletion of a collection, has options that make sense.

    Raises:
        StatusError: 422 for those that exclude each other, 400 for a continued list of another
            version.
    """
    query, causes = call.query, _match_causes(call)
    if "sendInitialEvents" in query:
        causes.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    _refuse("ListOptions", causes)
    if query.get("continue") and query.get("resourceVersion", "") not in ("", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")


def _match_causes(call: Call) -> list[Cause]:
    query, causes = call.query, list[Cause]()
    match, version = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    if not match:
        return causes
    name = "resourceVersionMatch"
    if not version:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        causes.append(forbidden(name, why))
    if query.get("continue"):
        why = "resourceVersionMatch is forbidden when continue is provided"
        causes.append(forbidden(name, why))
    if match not in _MATCHES:
        causes.append(not_supported(name, match, _MATCHES))
    if match == "Exact" and version == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        causes.append(forbidden(name, why))
    return causes


def check_watch_options(call: Call) -> None:
    """See that a watch has options that make sense (KEP-3157).

    Raises:
        StatusError: 422 for those that exclude each other.
    """
    query, causes, name = call.query, list[Cause](), "resourceVersionMatch"
    match = query.get(name, "")
    initial = "sendInitialEvents" in query
    if initial and match != "NotOlderThan":
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        causes.append(forbidden(name, why))
    if match:
        if not initial:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            causes.append(forbidden(name, why))
        if match != "NotOlderThan":
            causes.append(not_supported(name, match, ["NotOlderThan"]))
        if query.get("continue"):
            why = "resourceVersionMatch is forbidden when continue is provided"
            causes.append(forbidden(name, why))
    _refuse("ListOptions", causes)


def _check_manager(manager: str) -> list[Cause]:
    causes: list[Cause] = []
    if len(manager.encode(errors="replace")) > _LONGEST_MANAGER:
        causes.append(too_long("fieldManager", _LONGEST_MANAGER))
    if not manager.isprintable():
        why = "should only contain printable characters"
        causes.append(invalid_field("fieldManager", manager, why))
    return causes


def refusal(kind: str, causes: list[Cause]) -> StatusError:
    """422 for options of a kind: `DeleteOptions`."""
    return invalid(kind, _GROUP, "", causes)


def _refuse(kind: str, causes: list[Cause]) -> None:
    if causes:
        raise refusal(kind, causes)
