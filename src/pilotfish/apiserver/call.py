"""A call: one request as the verbs see it, free of HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.content import Content
from pilotfish.apiserver.entries import Page
from pilotfish.apiserver.errors import bad_request, quoted
from pilotfish.apiserver.routing import Route
from pilotfish.objects.meta import Object
from pilotfish.objects.numbers import whole_number
from pilotfish.objects.resources import Resource

_DIGITS: Final = re.compile("[+-]?[0-9]+")


@dataclass(slots=True)
class Call:
    """What is asked, by whom, of which object.

    Attributes:
        query: the query parameters.
        content: the request's body.
        user_agent: the program that asks, from its header.
        warnings: what the client is to be told beside the answer.
    """

    route: Route
    query: Mapping[str, str]
    user: User
    content: Content = field(default_factory=Content)
    user_agent: str = ""
    warnings: list[str] = field(default_factory=list)

    @property
    def resource(self) -> Resource:
        """The resource that the path names."""
        return self.route.resource

    @property
    def key(self) -> str:
        """The key of the object that the path names."""
        route = self.route
        return f"{route.namespace}/{route.name}" if route.namespace else route.name

    @property
    def manager(self) -> str:
        """Who is changing fields: as the client says, else by the name of its program."""
        return self.query.get("fieldManager") or self.user_agent.partition("/")[0] or "unknown"

    @property
    def dry_run(self) -> bool:
        """Tell whether the request checks everything and stores nothing (`dryRun=All`)."""
        return self.query.get("dryRun") == "All"

    def flag(self, name: str) -> bool:
        """A boolean query parameter: present and not "false" or "0"."""
        return self.query.get(name, "false").lower() not in ("false", "0")

    def number(self, name: str) -> int | None:
        """An integer query parameter; None when it is not given.

        Raises:
            StatusError: 400 for what is no number.
        """
        text = self.query.get(name, "")
        if not text:
            return None
        value = whole_number(text)
        if value is not None:
            return value
        why = "value out of range" if _DIGITS.fullmatch(text) else "invalid syntax"
        raise bad_request(f"{name}: strconv.ParseInt: parsing {quoted(text[:100])}: {why}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb answers: an object, decoded or already encoded.

    Attributes:
        content: bytes are sent as they are, a dict is encoded, a page becomes a list.
        code: the HTTP status.
        headers: further headers.
    """

    content: bytes | Object | Page
    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
