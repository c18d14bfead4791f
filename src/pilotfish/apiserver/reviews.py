"""Reviews: questions about who somebody is and what they may do; answered, never stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import bad_request, invalid, method_not_allowed
from pilotfish.apiserver.incoming import incoming_object
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.validation.causes import Cause, required
from pilotfish.apiserver.validation.causes import invalid as invalid_field
from pilotfish.objects.meta import Object

_RESOURCE_FIELDS = ("apiGroups", "resources", "resourceNames")


async def review(core: Core, call: Call) -> Answer:
    """POST a review; answers with it, the verdict in its status.

    Raises:
        StatusError: 400 for what cannot be decoded, 422 for a question that is none.
    """
    obj = incoming_object(call)
    spec = obj.get("spec") or {}
    match call.resource.kind:
        case "SelfSubjectReview":
            status: Object = {"userInfo": call.user.info()}
        case "TokenReview":
            status = _token_status(core, spec)
        case "SelfSubjectAccessReview":
            status = _access_status(core, call, call.user, spec)
        case "SubjectAccessReview":
            status = _access_status(core, call, _subject(call, spec), spec)
        case "LocalSubjectAccessReview":
            asked = (spec.get("resourceAttributes") or {}).get("namespace")
            if asked != call.route.namespace:
                raise bad_request(
                    f"spec.resourceAttributes.namespace must match namespace: {asked}"
                )
            status = _access_status(core, call, _subject(call, spec), spec)
        case "SelfSubjectRulesReview":
            status = _rules_status(core, call, spec.get("namespace", ""))
        case _:
            raise method_not_allowed()
    return Answer({**obj, "status": status}, 201)


def _token_status(core: Core, spec: Object) -> Object:
    audiences = spec.get("audiences") or [core.tokens.issuer]
    user = core.token_users.review(spec.get("token", ""), audiences)
    if user is None:
        return {"user": {}, "error": "the token is not valid"}
    return {"authenticated": True, "user": user.info(), "audiences": audiences}


def _subject(call: Call, spec: Object) -> User:
    """Whom a SubjectAccessReview asks about."""
    name, groups = spec.get("user", ""), tuple(spec.get("groups") or ())
    if not name and not groups:
        why = "at least one of user or group must be specified"
        raise _invalid(call, invalid_field("spec.user", "", why))
    return User(name, groups, spec.get("uid", ""))


def _access_status(core: Core, call: Call, user: User, spec: Object) -> Object:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is None and path is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise _invalid(call, required("spec.resourceAttributes", why))
    if resource is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        raise _invalid(call, invalid_field("spec.nonResourceAttributes", path, why))
    if path is not None:
        asked = Attributes(path.get("verb", ""), path=path.get("path", ""))
    else:
        fields = ("verb", "group", "resource", "subresource", "namespace", "name")
        selector = _field_selector((resource or {}).get("fieldSelector") or {})
        asked = Attributes(
            **{field: (resource or {}).get(field, "") for field in fields},
            field_selector=selector,
        )
    if not core.authorizer.allows(user, asked):
        why = core.authorizer.why_not(user, asked)
        return {"allowed": False, "reason": why} if why else {"allowed": False}
    reason = core.authorizer.reason(user, asked)
    return {"allowed": True, "reason": reason} if reason else {"allowed": True}


def _field_selector(spec: Object) -> str:
    """A review's fieldSelector (authorization.k8s.io/v1 FieldSelectorAttributes) as text."""
    wanted = [
        f"{requirement.get('key', '')}={requirement['values'][0]}"
        for requirement in spec.get("requirements") or ()
        if requirement.get("operator") == "In" and len(requirement.get("values") or ()) == 1
    ]
    return ",".join(wanted) or str(spec.get("rawSelector") or "")


def _rules_status(core: Core, call: Call, namespace: str) -> Object:
    if not namespace:
        raise bad_request("no namespace on request")
    rules = core.authorizer.rules_of(call.user, namespace)
    return {
        "resourceRules": [
            _fields(rule, ("verbs", *_RESOURCE_FIELDS)) for rule in rules if rule.get("resources")
        ],
        "nonResourceRules": [
            _fields(rule, ("verbs", "nonResourceURLs"))
            for rule in rules
            if rule.get("nonResourceURLs")
        ],
        "incomplete": False,
    }


def _fields(rule: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: rule[name] for name in names if rule.get(name)}


def _invalid(call: Call, cause: Cause) -> Exception:
    resource = call.resource
    return invalid(resource.kind, resource.group, "", [cause])
