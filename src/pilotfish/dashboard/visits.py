"""Which requests are answered at all: by the host they name, where they come from, what they show.

Pure: the facts of a request in, a verdict out. Guards against other sites in the same browser
(Origin, Fetch Metadata), against names that lead here (DNS rebinding: Host), and against
everybody without credentials.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from pilotfish.dashboard.access import Access

Verdict = Literal[
    "admit", "set cookie", "bounce", "unknown", "used", "expired", "wrong host", "wrong origin"
]

# Asked by load balancers and by who waits for the start; says nothing of the cluster.
OPEN_PATHS = frozenset({"/healthz"})


@dataclass(frozen=True)
class Visit:
    """What a request says of itself; "" for what it does not.

    Attributes:
        page: whether it asks for a page for people, rather than for data.
        socket: whether it asks for a WebSocket.
        host, origin, authorization: headers.
        fetch_site: header Sec-Fetch-Site (W3C Fetch Metadata).
        cookie: value of our cookie.
        token: of a link.
        local_ip: our own address of the connection.
    """

    path: str
    page: bool
    host: str
    socket: bool = False
    origin: str = ""
    authorization: str = ""
    fetch_site: str = ""
    cookie: str = ""
    token: str = ""
    local_ip: str = ""


class Doorkeeper:
    """Decides on visits to one address and port."""

    def __init__(self, address: str, port: int, access: Access) -> None:
        self._access = access
        self._port = port
        self._names = {_bracketed(name) for name in ("127.0.0.1", "localhost", "::1", address)}
        self._any = address in ("0.0.0.0", "::")

    def judge(self, visit: Visit) -> Verdict:
        """Whether to answer, and how."""
        if not self._is_ours(visit.host, visit.local_ip):
            return "wrong host"
        if visit.origin and visit.origin.lower() != f"http://{visit.host.lower()}":
            return "wrong origin"
        if visit.path in OPEN_PATHS:
            return "admit"
        if visit.authorization and self._access.admits_program(visit.authorization):
            return "admit"
        # A link is used up even by a browser that is known.
        redeemed = self._access.redeem(visit.token) if visit.token and visit.page else "wrong"
        if redeemed == "good":
            return "set cookie"
        if visit.cookie and self._access.admits_cookie(visit.cookie):
            return self._known(visit)
        if redeemed != "wrong":
            return redeemed
        if visit.page and visit.fetch_site in ("cross-site", "same-site"):
            # On the way from another site the browser keeps a strict cookie back.
            return "bounce"
        return "unknown"

    def _known(self, visit: Visit) -> Verdict:
        """What a browser that has our cookie may do on behalf of the site that it shows."""
        if visit.socket:
            # Browsers always say where a WebSocket comes from (RFC 6455 section 10.2).
            return "admit" if visit.origin else "wrong origin"
        if not visit.page and visit.fetch_site not in ("", "same-origin", "none"):
            return "wrong origin"
        return "admit"

    def _is_ours(self, host: str, local_ip: str) -> bool:
        name, port = _split(host.lower())
        if port != self._port:
            return False
        if name in self._names:
            return True
        # Who listens everywhere is asked by many addresses. None is a name that somebody
        # else could make lead here.
        return self._any and _is_address(name) and name == _bracketed(local_ip)


def _split(host: str) -> tuple[str, int]:
    """A Host header's parts (RFC 9110 section 7.2); port 80 when none is named."""
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port:
        return host, 80
    return name, int(port) if port.isascii() and port.isdigit() else -1


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
