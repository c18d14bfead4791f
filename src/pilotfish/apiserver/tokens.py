"""ServiceAccount tokens: JSON Web Tokens signed with the cluster's key (KEP-1205)."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pilotfish.objects.meta import Object, name_of, namespace_of, uid_of

log = logging.getLogger(__name__)

Claims = dict[str, Any]


class Tokens:
    """Signs tokens and reads them again."""

    def __init__(
        self, key_file: Path, issuer: str, is_current: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        """
        Args:
            key_file: PEM private key, RSA or P-256.
            issuer: `iss` of the tokens, and the default audience.
            is_current: whether what the `kubernetes.io` claim is bound to (ServiceAccount,
                Pod) still exists under the same uids.
        """
        self._key_file = key_file
        self._is_current = is_current
        self._key: Any = None
        self.issuer = issuer

    def issue(
        self,
        account: Object,
        audiences: Sequence[str],
        lifetime_s: int,
        held_by: Object | None = None,
    ) -> tuple[str, float]:
        """A token for a ServiceAccount, that ends with the Pod, Secret or Node that holds it.

        Returns:
            The token, and when it expires (seconds since the epoch).
        """
        import jwt

        now = int(time.time())
        expiry = now + lifetime_s
        bound: Claims = {
            "namespace": namespace_of(account),
            "serviceaccount": {"name": name_of(account), "uid": uid_of(account)},
        }
        if held_by is not None:
            claim = held_by["kind"].lower()
            bound[claim] = {"name": name_of(held_by), "uid": uid_of(held_by)}
            node = held_by.get("spec", {}).get("nodeName")
            if node:
                bound["node"] = {"name": node}
        claims = {
            "aud": list(audiences) or [self.issuer],
            "exp": expiry,
            "iat": now,
            "nbf": now,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": bound,
            "sub": f"system:serviceaccount:{bound['namespace']}:{name_of(account)}",
        }
        key, algorithm = self._signing_key()
        return jwt.encode(claims, key, algorithm=algorithm), float(expiry)

    def claims(self, token: str, audiences: Sequence[str] = ()) -> Claims | None:
        """The claims of a valid token; None for any other.

        Args:
            audiences: of which the token must be meant for one; default: this API server.
        """
        import jwt

        key, algorithm = self._signing_key()
        try:
            claims: Claims = jwt.decode(
                token,
                key.public_key(),
                algorithms=[algorithm],
                audience=list(audiences) or [self.issuer],
                issuer=self.issuer,
            )
        except jwt.PyJWTError as error:
            log.info("a bearer token was refused: %s", error)
            return None
        return claims if self._is_current(claims.get("kubernetes.io", {})) else None

    def _signing_key(self) -> tuple[Any, str]:
        # Loaded with the first token: cryptography takes longer to import than the rest.
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        if self._key is None:
            self._key = load_pem_private_key(self._key_file.read_bytes(), None)
        return self._key, "RS256" if isinstance(self._key, RSAPrivateKey) else "ES256"
