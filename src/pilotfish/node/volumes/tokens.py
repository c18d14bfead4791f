"""Service account tokens of projected volumes: asked for by TokenRequest, renewed in time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pilotfish.client.api import Client
from pilotfish.objects.meta import Object, name_of, namespace_of, uid_of
from pilotfish.objects.times import parse_time

_DEFAULT_LIFETIME_S = 3600
# The kubelet renews a token when 80 % of its life are over.
_RENEW_AT = 0.8


@dataclass(frozen=True)
class _Token:
    text: str
    renew_s: float


class PodTokens:
    """The tokens of one Pod, bound to it: they lose their force when it is deleted."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._tokens: dict[tuple[str, int], _Token] = {}

    async def get(self, pod: Object, source: Object) -> str:
        """The token of a `serviceAccountToken` projection. Raises ApiError, Unreachable."""
        audience = source.get("audience") or ""
        lifetime_s = int(source.get("expirationSeconds") or _DEFAULT_LIFETIME_S)
        token = self._tokens.get((audience, lifetime_s))
        if token is None or time.time() >= token.renew_s:
            token = await self._request(pod, audience, lifetime_s)
            self._tokens[audience, lifetime_s] = token
        return token.text

    async def _request(self, pod: Object, audience: str, lifetime_s: int) -> _Token:
        account = pod["spec"].get("serviceAccountName") or "default"
        body: Object = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"name": account, "namespace": namespace_of(pod)},
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": lifetime_s,
                "boundObjectRef": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": name_of(pod),
                    "uid": uid_of(pod),
                },
            },
        }
        answer = await self._client.create("serviceaccounts", body, subresource="token")
        asked_s = time.time()
        expires_s = parse_time(answer["status"]["expirationTimestamp"]).timestamp()
        renew_s = asked_s + (expires_s - asked_s) * _RENEW_AT
        return _Token(answer["status"]["token"], renew_s)
