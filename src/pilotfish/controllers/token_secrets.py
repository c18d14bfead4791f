"""Token Secrets: Secrets of type `kubernetes.io/service-account-token`, filled as they are made.

Who needs a token that lasts makes a Secret of that type and names a ServiceAccount in its
annotation; the controller puts `token`, `ca.crt` and `namespace` into it, and takes it away when
the ServiceAccount goes ("Manually create a long-lived API token for a ServiceAccount" in the
Kubernetes documentation). The token is bound to the Secret, and worth nothing once that is deleted.
"""

from __future__ import annotations

import logging
from base64 import b64encode

from pilotfish.client.errors import NotFound
from pilotfish.controllers.controller import Context, Controller
from pilotfish.objects.meta import (
    Object,
    annotations_of,
    is_deleting,
    key_of,
    name_of,
    namespace_of,
    uid_of,
)

log = logging.getLogger(__name__)

TYPE = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"
ACCOUNT_UID = "kubernetes.io/service-account.uid"
# The longest that can be asked for: 136 years.
_FOR_EVER_S = 1 << 32


def belongs_to(secret: Object, account: Object | None) -> bool:
    """Whether the ServiceAccount that a token Secret names is there, and still the same one."""
    uid = annotations_of(secret).get(ACCOUNT_UID)
    return account is not None and uid in (None, "", uid_of(account))


def missing(secret: Object, certificate: str) -> dict[str, str]:
    """What of a Secret's data can be filled in without a token, in base64."""
    data = secret.get("data") or {}
    wanted = {"namespace": namespace_of(secret)}
    if certificate:
        wanted["ca.crt"] = certificate
    return {
        key: b64encode(value.encode()).decode()
        for key, value in wanted.items()
        if not data.get(key)
    }


def token_request(secret: Object, account: str) -> Object:
    """The TokenRequest for the token that a Secret is to hold."""
    bound = {
        "apiVersion": "v1",
        "kind": "Secret",
        "name": name_of(secret),
        "uid": uid_of(secret),
    }
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"name": account, "namespace": namespace_of(secret)},
        "spec": {"expirationSeconds": _FOR_EVER_S, "boundObjectRef": bound},
    }


class TokenSecretController(Controller):
    """Fills token Secrets, and deletes them with their ServiceAccounts."""

    name = "serviceaccount-token-controller"
    workers = 2

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._secrets = self.informer("secrets", eager=False)
        self._accounts = self.informer("serviceaccounts")
        self._secrets.on_change(self._secret_changed)
        self._accounts.on_change(self._account_changed)

    def _secret_changed(self, _old: Object | None, new: Object | None) -> None:
        if new is not None and new.get("type") == TYPE:
            self.enqueue(new)

    def _account_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and uid_of(old) == uid_of(new):
            return
        account = new or old
        assert account is not None, "one of both is there"
        for secret in self._secrets.by_index("namespace", namespace_of(account)):
            if annotations_of(secret).get(ACCOUNT_NAME) == name_of(account):
                self._secret_changed(None, secret)

    async def sync(self, key: str) -> None:
        secret = self._secrets.get(key)
        if secret is None or is_deleting(secret):
            return
        account_name = annotations_of(secret).get(ACCOUNT_NAME, "")
        try:
            # Asked for, not looked up: it may have been made just before the Secret.
            account = await self.client.get("serviceaccounts", account_name, namespace_of(secret))
        except NotFound:
            account = None
        if account is None or not belongs_to(secret, account):
            await self._delete(secret)
            return
        data = missing(secret, self.config.ca_certificate)
        if not (secret.get("data") or {}).get("token"):
            request = token_request(secret, account_name)
            answer = await self.client.create("serviceaccounts", request, subresource="token")
            data["token"] = b64encode(answer["status"]["token"].encode()).decode()
        known = annotations_of(secret).get(ACCOUNT_UID)
        if not data and known:
            return
        patch: Object = {
            "metadata": {"uid": uid_of(secret), "annotations": {ACCOUNT_UID: uid_of(account)}},
            "data": data,
        }
        await self.client.patch("secrets", name_of(secret), patch, namespace_of(secret))

    async def _delete(self, secret: Object) -> None:
        try:
            await self.client.delete(
                "secrets", name_of(secret), namespace_of(secret), uid=uid_of(secret)
            )
        except NotFound:
            return
        log.info("deleted Secret %s: its ServiceAccount is gone", key_of(secret))
