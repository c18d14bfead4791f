"""Health: /healthz, /livez and /readyz, open to everybody."""

from __future__ import annotations

from typing import Final

from aiohttp import web

PATHS: Final = ("/healthz", "/livez", "/readyz")
_CHECKS: Final = ("ping", "store")


def health(path: str, verbose: bool) -> web.Response | None:
    """The answer to a health path, or to one check of it (`/livez/ping`); None for another path.

    A server that answers at all has its store loaded: it begins to listen only then.
    """
    root, _, check = path[1:].partition("/")
    if f"/{root}" not in PATHS or (check and check not in _CHECKS):
        return None
    if check or not verbose:
        return web.Response(text="ok")
    lines = [f"[+]{name} ok" for name in _CHECKS]
    return web.Response(text="\n".join([*lines, f"{root} check passed", ""]))
