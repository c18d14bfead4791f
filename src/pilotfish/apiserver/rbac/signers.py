"""Signers: who may approve and sign certificates, beside the right to write the requests.

kube-apiserver's admission plugins CertificateApproval and CertificateSigning: a signer is a
synthetic resource, and `approve` and `sign` are verbs on it ("Certificate Signing Requests", its
section "Authorization", in the Kubernetes documentation).
"""

from __future__ import annotations

from typing import Final

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.call import Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import forbidden
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.rbac.authorizer import Authorizer
from pilotfish.objects.meta import Object

_GROUP: Final = "certificates.k8s.io"
_REQUESTS: Final = f"certificatesigningrequests.{_GROUP}"
_SIGNED: Final = ("certificate", "conditions")


def concerns_signers(call: Call) -> bool:
    """Whether a write is one that its request's signer must have been entrusted to the author."""
    return call.resource.full_name == _REQUESTS and call.route.subresource in ("approval", "status")


def check_signer(core: Core, call: Call, new: Object) -> None:
    """See that who approves, denies or signs a request may do so for its signer.

    Args:
        new: the request as the write would leave it.

    Raises:
        StatusError: 403 when not.
    """
    entry = core.registry.latest(_REQUESTS, call.key)
    old = entry.decode() if entry is not None else {}
    verb = "approve"
    if call.route.subresource == "status":
        verb = "sign"
        before, after = old.get("status") or {}, new.get("status") or {}
        if all(before.get(field) == after.get(field) for field in _SIGNED):
            return
    signer = (old.get("spec") or {}).get("signerName", "")
    if not _may(core.authorizer, call.user, verb, signer):
        why = f'user not permitted to {verb} requests with signerName "{signer}"'
        raise forbidden(call.resource, call.route.name, why)


def _may(authorizer: Authorizer, user: User, verb: str, signer: str) -> bool:
    """Whether somebody has a verb on a signer, or on all signers of its domain."""
    domain = signer.partition("/")[0]
    return any(
        authorizer.allows(user, Attributes(verb, _GROUP, "signers", name=name))
        for name in (signer, f"{domain}/*")
    )
