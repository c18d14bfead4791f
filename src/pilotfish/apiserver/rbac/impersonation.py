"""Impersonation: somebody who may acts as somebody else (`kubectl --as`)."""

from __future__ import annotations

from urllib.parse import unquote

from multidict import CIMultiDictProxy

from pilotfish.apiserver.authentication import (
    ANONYMOUS,
    AUTHENTICATED,
    UNAUTHENTICATED,
    User,
    groups_of_account,
)
from pilotfish.apiserver.errors import bad_request
from pilotfish.apiserver.rbac.attributes import Attributes
from pilotfish.apiserver.rbac.authorizer import Authorizer

_USER = "Impersonate-User"
_GROUP = "Impersonate-Group"
_UID = "Impersonate-Uid"
_EXTRA = "impersonate-extra-"
_ACCOUNT = "system:serviceaccount:"
_AUTHENTICATION = "authentication.k8s.io"


def acting_user(authorizer: Authorizer, user: User, headers: CIMultiDictProxy[str]) -> User:
    """As whom a request is made: as the user, or as whom its headers name.

    Raises:
        StatusError: 403 when the user may not be somebody else; 400 for groups, a uid or extra
            fields without a user.
    """
    name, uid = headers.get(_USER, ""), headers.get(_UID, "")
    groups = tuple(headers.getall(_GROUP, ()))
    extra: dict[str, tuple[str, ...]] = {}
    for header, value in headers.items():
        if header.lower().startswith(_EXTRA):
            key = unquote(header[len(_EXTRA) :]).lower()
            extra[key] = (*extra.get(key, ()), value)
    if not name:
        if groups or uid or extra:
            raise bad_request(
                "requested groups, a uid or extra fields without impersonating a user name"
            )
        return user

    def may(group: str, resource: str, who: str, subresource: str = "", home: str = "") -> None:
        asked = Attributes("impersonate", group, resource, subresource, home, who)
        authorizer.check(user, asked)

    account = name.removeprefix(_ACCOUNT).split(":") if name.startswith(_ACCOUNT) else []
    if len(account) == 2:
        may("", "serviceaccounts", account[1], home=account[0])
        groups = groups or groups_of_account(account[0])
    else:
        may("", "users", name)
    for group in headers.getall(_GROUP, ()):
        may("", "groups", group)
    if uid:
        may(_AUTHENTICATION, "uids", uid)
    for key, values in extra.items():
        for value in values:
            may(_AUTHENTICATION, "userextras", value, key)
    if name == ANONYMOUS:
        if UNAUTHENTICATED not in groups:
            groups = (*groups, UNAUTHENTICATED)
    elif not {AUTHENTICATED, UNAUTHENTICATED} & set(groups):
        groups = (*groups, AUTHENTICATED)
    return User(name, groups, uid, extra)
