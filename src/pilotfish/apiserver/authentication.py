"""Authentication: who is asking, by client certificate or bearer token.

A certificate signed by the client CA names the user (CN) and the groups (each O), as in
"Authenticating" of the Kubernetes documentation. A bearer token is a ServiceAccount's, or one of
the token file's.
"""

from __future__ import annotations

import asyncio
import csv
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from pilotfish.apiserver.errors import unauthorized
from pilotfish.apiserver.tokens import Tokens

AUTHENTICATED = "system:authenticated"
ANONYMOUS: Final = "system:anonymous"
UNAUTHENTICATED: Final = "system:unauthenticated"
LOCAL_USER: Final = "system:kube-controller-manager"
_REMEMBERED_S: Final = 10.0
_MOST_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class User:
    """Who makes a request."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def info(self) -> dict[str, Any]:
        """The user as authentication.k8s.io/v1 UserInfo."""
        info: dict[str, Any] = {"username": self.name}
        if self.uid:
            info["uid"] = self.uid
        info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra.items()}
        return info


# Whoever opens the Unix socket is root on this machine, and all controllers are behind it.
_LOCAL: Final = User(LOCAL_USER, ("system:masters", AUTHENTICATED))


def groups_of_account(namespace: str) -> tuple[str, ...]:
    """The groups of a namespace's ServiceAccounts."""
    return (
        "system:serviceaccounts",
        f"system:serviceaccounts:{namespace}",
        AUTHENTICATED,
    )


def read_token_file(path: Path) -> dict[str, User]:
    """The users of a static token file: lines of `token,user,uid,"group,group"` (CSV).

    Raises:
        OSError: when it cannot be read.
        ValueError: for a line with fewer than three fields, or without a token or a name.
    """
    users: dict[str, User] = {}
    with path.open(newline="") as file:
        for number, row in enumerate(csv.reader(file), 1):
            if not row:
                continue
            if len(row) < 3 or not row[0].strip() or not row[1].strip():
                raise ValueError(f"{path}, line {number}: a token, a user and a uid are needed")
            token, name, uid, groups, *_ = (*(field.strip() for field in row), "")
            listed = tuple(group.strip() for group in groups.split(",") if group.strip())
            users[token] = User(name, (*listed, AUTHENTICATED), uid)
    return users


def user_of_certificate(certificate: Mapping[str, Any]) -> User | None:
    """The user that a verified peer certificate names; None when it has no CN.

    Args:
        certificate: as `ssl.SSLSocket.getpeercert()` returns it.
    """
    return _user_of_subject(certificate.get("subject", ()))


# Asked with each request of a connection.
@lru_cache(maxsize=_MOST_REMEMBERED)
def _user_of_subject(subject: tuple[tuple[tuple[str, str], ...], ...]) -> User | None:
    name, groups = "", []
    for relative_name in subject:
        for attribute, value in relative_name:
            if attribute == "commonName":
                name = value
            elif attribute == "organizationName":
                groups.append(value)
    return User(name, (*groups, AUTHENTICATED)) if name else None


def user_of_token(tokens: Tokens, token: str, audiences: Sequence[str] = ()) -> User | None:
    """The ServiceAccount that a token speaks for; None if the token is not valid.

    Args:
        audiences: of which the token must be meant for one; default: this API server.
    """
    claims = tokens.claims(token, audiences)
    if claims is None:
        return None
    account = claims["kubernetes.io"]
    namespace, name = account["namespace"], account["serviceaccount"]["name"]
    extra = {"authentication.kubernetes.io/credential-id": (f"JTI={claims['jti']}",)}
    pod = account.get("pod")
    if pod:
        extra["authentication.kubernetes.io/pod-name"] = (pod["name"],)
        extra["authentication.kubernetes.io/pod-uid"] = (pod["uid"],)
    return User(
        f"system:serviceaccount:{namespace}:{name}",
        groups_of_account(namespace),
        account["serviceaccount"]["uid"],
        extra,
    )


class TokenUsers:
    """Whom tokens speak for, remembered for a few seconds.

    Checking a signature costs more than most requests; kube-apiserver's cache keeps a success
    for 10 s as well, so a token outlives its ServiceAccount by that much at most.
    """

    def __init__(self, tokens: Tokens, static: Mapping[str, User]) -> None:
        """
        Args:
            static: the users of tokens that are none of a ServiceAccount's.
        """
        self._tokens = tokens
        self._static = static
        self._known: dict[str, tuple[float, User]] = {}

    def user(self, token: str) -> User | None:
        """The user of a token; None if it is not valid."""
        static = self._static.get(token)
        if static is not None:
            return static
        now = time.monotonic()
        known = self._known.get(token)
        if known is not None and now < known[0]:
            return known[1]
        user = user_of_token(self._tokens, token)
        if user is not None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[token] = (now + _REMEMBERED_S, user)
        return user

    def review(self, token: str, audiences: Sequence[str]) -> User | None:
        """The user of a token, looked at anew; None if it is not valid for any of the audiences."""
        static = self._static.get(token)
        if static is not None:
            return static
        return user_of_token(self._tokens, token, audiences)


def _is_local(transport: asyncio.BaseTransport) -> bool:
    """Whether a connection came over the Unix socket, which only the cluster's owner can open."""
    connection = transport.get_extra_info("socket")
    return connection is not None and connection.family == socket.AF_UNIX


def authenticate(request: web.BaseRequest, token_users: TokenUsers) -> User:
    """Who makes a request.

    Raises:
        StatusError: 401, when nothing or something invalid was shown.
    """
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    if certificate:
        user = user_of_certificate(certificate)
        if user is not None:
            return user
    elif transport is not None and _is_local(transport):
        return _LOCAL
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        user = token_users.user(token.strip())
        if user is not None:
            return user
    raise unauthorized()
