"""The way into the server: every request passes here, and every answer on its way out.

Credentials and origins are judged by `visits`; here are the headers they are read from, cookies,
and the headers that tell the browser what a page of ours may do.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

from pilotfish.dashboard import refusals
from pilotfish.dashboard.access import COOKIE_S, Access
from pilotfish.dashboard.refusals import RefusedError
from pilotfish.dashboard.visits import Doorkeeper, Visit

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_REFUSALS = {
    "wrong host": (403, "Not under this name", "ask for the address that the terminal printed"),
    "wrong origin": (403, "Not for other sites", "open the address that the terminal printed"),
    "used": (401, "This link was used already", "the terminal printed a fresh one"),
    "expired": (401, "This link is too old", "the terminal printed a fresh one"),
    "unknown": (
        401,
        "This browser is not known here",
        "run `pilotfish proxy` again: it prints a link for one visit; programs send their token, "
        "see docs/reference/dashboard-api.md",
    ),
}
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
# Data and their documents; everything else is for people.
_DATA = ("/api/", "/assets/", "/metrics", "/healthz")


class Entrance:
    """The middleware of the server."""

    def __init__(
        self, keeper: Doorkeeper, access: Access, port: int, on_used: Callable[[], None]
    ) -> None:
        """Make one.

        Args:
            keeper: judges.
            access: makes cookies.
            port: ours; browsers share cookies between ports, so the name tells them apart.
            on_used: is called when a link is no longer good: the terminal needs another.
        """
        self._keeper = keeper
        self._access = access
        self._cookie = f"pilotfish-{port}"
        self._on_used = on_used

    @web.middleware
    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or say why not."""
        page = not request.path.startswith(_DATA)
        try:
            return await self._admitted(request, handler, page)
        except RefusedError as error:
            return refusals.answer(error, page)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            what = {404: "There is nothing here", 405: "Only GET is answered here"}
            refused = RefusedError(
                error.status,
                what.get(error.status, error.reason),
                request.path[:200],
                "open /traffic" if page else "see docs/reference/dashboard-api.md",
            )
            return refusals.answer(refused, page)
        except Exception:
            log.exception("%s %s was not answered", request.method, request.path)
            refused = RefusedError(
                500,
                "This is a defect of pilotfish",
                request.path[:200],
                "please report what the terminal says",
            )
            return refusals.answer(refused, page)

    async def _admitted(
        self, request: web.Request, handler: Handler, page: bool
    ) -> web.StreamResponse:
        verdict = self._keeper.judge(self._visit(request, page))
        if verdict == "bounce":
            return refusals.bounce(own_target(request.rel_url))
        if verdict in ("set cookie", "expired"):
            self._on_used()
        if verdict == "set cookie":
            redirect = self._without_token(request)
            redirect.set_cookie(
                self._cookie,
                self._access.cookie(),
                max_age=COOKIE_S,
                httponly=True,
                samesite="Strict",
            )
            return redirect
        if verdict == "admit":
            if page and "token" in request.query:
                return self._without_token(request)
            return await handler(request)
        code, what, mend = _REFUSALS[verdict]
        raise RefusedError(code, what, request.host[:200], mend)

    def _visit(self, request: web.Request, page: bool) -> Visit:
        headers = request.headers
        name = request.transport.get_extra_info("sockname") if request.transport else None
        return Visit(
            path=request.path,
            page=page,
            host=headers.get("Host", ""),
            socket=headers.get("Upgrade", "").lower() == "websocket",
            origin=headers.get("Origin", ""),
            authorization=headers.get("Authorization", ""),
            fetch_site=headers.get("Sec-Fetch-Site", ""),
            cookie=request.cookies.get(self._cookie, ""),
            token=request.query.get("token", ""),
            local_ip=name[0] if name else "",
        )

    @staticmethod
    def _without_token(request: web.Request) -> web.Response:
        target = own_target(request.rel_url.without_query_params("token"))
        return web.Response(status=303, headers={"Location": target})


def own_target(url: URL) -> str:
    """Path and query of a URL, such that a browser stays on this server.

    `//host/` is another server's address (RFC 3986, section 4.2), and browsers read `\\` as `/`.
    """
    path = "/" + url.raw_path.lstrip("/\\")
    return f"{path}?{url.raw_query_string}" if url.raw_query_string else path


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What browsers may do with an answer (signal `on_response_prepare`)."""
    headers = response.headers
    # Some browsers do not count WebSockets to ourselves as 'self'.
    socket = f" ws://{request.host}" if _HOST.fullmatch(request.host) else ""
    headers["Content-Security-Policy"] = (
        f"default-src 'self'; connect-src 'self'{socket}; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-store")
    headers.popall("Server", None)
