"""Signers: the rights to approve and to sign certificates, beside the right to write requests.

kube-apiserver's admission plugins CertificateApproval, CertificateSigning and
CertificateSubjectRestriction: a signer is a synthetic resource, and `approve` and `sign` are verbs
on it ("Certificate Signing Requests", its section "Authorization", in the Kubernetes
documentation).
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.call import Call
from pilotfish.apiserver.core import Core
from pilotfish.apiserver.errors import forbidden
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.rbac.authorizer import MASTERS, Authorizer
from pilotfish.objects.meta import Object, name_of
from pilotfish.objects.resources import Resource, resource

_GROUP: Final = "certificates.k8s.io"
_REQUESTS: Final = f"certificatesigningrequests.{_GROUP}"
_CLIENT_SIGNER: Final = "kubernetes.io/kube-apiserver-client"
_SIGNED: Final = ("certificate", "conditions")


def is_request(kind: Resource) -> bool:
    """Whether objects of a resource are requests for certificates."""
    return kind.full_name == _REQUESTS


def concerns_signers(call: Call) -> bool:
    """Whether a write takes a right on the signer of its request."""
    return is_request(call.resource) and call.route.subresource in ("approval", "status")


def check_signer(core: Core, call: Call, new: Object) -> None:
    """Check that the author of an approval, a denial or a certificate may do so for the signer.

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


def check_subject(request: Object) -> None:
    """Check that a certificate would make nobody an administrator.

    Validation refuses text that is no request.

    Raises:
        StatusError: 403 when somebody does.
    """
    spec = request.get("spec") or {}
    if spec.get("signerName") != _CLIENT_SIGNER:
        return
    from cryptography import x509  # slow to load, and rarely needed

    try:
        read = x509.load_pem_x509_csr(b64decode(spec.get("request", "")))
    except ValueError:
        return
    named = read.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    if any(attribute.value == MASTERS for attribute in named):
        why = f"use of {_CLIENT_SIGNER} signer with {MASTERS} group is not allowed"
        raise forbidden(resource(_REQUESTS), name_of(request), why)


def _may(authorizer: Authorizer, user: User, verb: str, signer: str) -> bool:
    """Whether somebody has a verb on a signer, or on all signers of its domain."""
    domain = signer.partition("/")[0]
    return any(
        authorizer.allows(user, Attributes(verb, _GROUP, "signers", name=name))
        for name in (signer, f"{domain}/*")
    )
