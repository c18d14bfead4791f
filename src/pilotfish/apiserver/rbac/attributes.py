"""Attributes: what a request wants to do, as roles speak of it.

"Determine the Request Verb" in the Kubernetes documentation's authorization overview.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from pilotfish.apiserver.errors import StatusError, quoted
from pilotfish.apiserver.routing import Route
from pilotfish.objects.meta import Object

_VERBS: Final = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_FALSE: Final = ("false", "0")
_NAME_FIELD: Final = "metadata.name"


class Attributes(NamedTuple):
    """A verb on a resource, or on a path that is none.

    Attributes:
        path: of a request for no resource; such requests have nothing but verb and path.
        field_selector: which objects a list or watch is limited to.
    """

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_selector: str = ""

    @property
    def described(self) -> str:
        """`cannot list resource "pods" in API group "" …`, without the `cannot`."""
        if self.path:
            return f"{self.verb} path {quoted(self.path)}"
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        where = f"in the namespace {quoted(self.namespace)}" if self.namespace else _EVERYWHERE
        return f"{self.verb} resource {quoted(resource)} in API group {quoted(self.group)} {where}"


_EVERYWHERE: Final = "at the cluster scope"


def attributes_of(method: str, route: Route, query: Mapping[str, str]) -> Attributes:
    """What a request for a resource wants to do."""
    # A method that has no verb is only for those who may do everything.
    verb = _VERBS.get(method, "")
    resource, name = route.resource, route.name
    selector = query.get("fieldSelector", "") if query else ""
    if verb == "get" and not route.subresource:
        is_watch = query and query.get("watch", "false").lower() not in _FALSE
        if route.watch or (is_watch and not name):
            verb = "watch"
        elif not name:
            verb = "list"
        if selector and not name:
            # A selector limits reads alone: a new object has its name in its body.
            name = selected(selector, _NAME_FIELD)
    elif verb == "delete" and not name:
        verb = "deletecollection"
    namespace = route.namespace
    # A Namespace is in itself: a Role in it may speak of it.
    if resource.plural == "namespaces" and not resource.group:
        namespace = route.name
    return Attributes(
        verb,
        resource.group,
        resource.plural,
        route.subresource,
        namespace,
        name,
        field_selector=selector,
    )


def creation_of(route: Route) -> Attributes:
    """The attributes of a PUT or PATCH that creates the object which its path names."""
    resource = route.resource
    return Attributes(
        "create",
        resource.group,
        resource.plural,
        route.subresource,
        route.namespace,
        route.name,
    )


def selected(selector: str, wanted: str) -> str:
    """The one value of a field that a field selector leaves; "" where it leaves more."""
    for requirement in selector.split(","):
        field, _, value = requirement.partition("=")
        if field == wanted:
            return value.removeprefix("=")
    return ""


def refusal(user: str, attributes: Attributes, reason: str = "") -> StatusError:
    """403, in kube-apiserver's words."""
    why = f"User {quoted(user)} cannot {attributes.described}"
    if reason:
        why += f": {reason}"
    if attributes.path:
        return StatusError(403, "Forbidden", f"forbidden: {why}", {})
    group, name = attributes.group, attributes.name
    qualified = f"{attributes.resource}.{group}" if group else attributes.resource
    what = f"{qualified} {quoted(name)}" if name else qualified
    details: Object = {"name": name, "group": group, "kind": attributes.resource}
    details = {key: value for key, value in details.items() if value}
    return StatusError(403, "Forbidden", f"{what} is forbidden: {why}", details)
