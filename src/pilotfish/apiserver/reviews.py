"""Reviews: questions about who somebody is and what they may do; answered, never stored.

Authorization is not evaluated yet: who is authenticated may do everything.
"""

from __future__ import annotations

from pilotfish.apiserver.authentication import User, user_of_token
from pilotfish.apiserver.call import Answer, Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import method_not_allowed
from pilotfish.apiserver.incoming import incoming_object
from pilotfish.objects.meta import Object


async def review(core: Core, call: Call) -> Answer:
    """POST a review; answers with it, the verdict in its status.

    Raises:
        StatusError: 400 for what cannot be decoded.
    """
    obj = incoming_object(call)
    spec = obj.get("spec") or {}
    match call.resource.kind:
        case "SelfSubjectReview":
            status: Object = {"userInfo": call.user.info()}
        case "TokenReview":
            status = _token_status(core, spec)
        case "SelfSubjectAccessReview" | "SubjectAccessReview" | "LocalSubjectAccessReview":
            status = {"allowed": True}
        case "SelfSubjectRulesReview":
            everything = ["*"]
            status = {
                "resourceRules": [
                    {"verbs": everything, "apiGroups": everything, "resources": everything}
                ],
                "nonResourceRules": [{"verbs": everything, "nonResourceURLs": everything}],
                "incomplete": False,
            }
        case _:
            raise method_not_allowed()
    return Answer({**obj, "status": status}, 201)


def _token_status(core: Core, spec: Object) -> Object:
    audiences = spec.get("audiences") or [core.tokens.issuer]
    user: User | None = user_of_token(core.tokens, spec.get("token", ""), audiences)
    if user is None:
        return {"user": {}, "error": "the token is not valid"}
    return {"authenticated": True, "user": user.info(), "audiences": audiences}
