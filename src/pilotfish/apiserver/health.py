"""Health: /healthz, /livez and /readyz, open to everybody."""

from __future__ import annotations

from typing import Final

from aiohttp import web

PATHS: Final = ("/healthz", "/livez", "/readyz")
_CHECKS: Final = ("ping", "store")


def health(path: str, verbose: bool, store_is_reachable: bool) -> web.Response | None:
    """The answer to a health path, or to one check of it (`/livez/ping`); None for another path.

    A server that answers at all has its store loaded: it begins to listen only then. One whose
    store is out of reach lives, but is neither healthy nor ready.
    """
    root, _, check = path[1:].partition("/")
    if f"/{root}" not in PATHS or (check and check not in _CHECKS):
        return None
    failed = [] if store_is_reachable or root == "livez" else ["store"]
    if check:
        failed = [name for name in failed if name == check]
    if not failed and (check or not verbose):
        return web.Response(text="ok")
    lines = [
        f"[-]{name} failed: reason withheld" if name in failed else f"[+]{name} ok"
        for name in ([check] if check else _CHECKS)
    ]
    verdict = f"{root} check {'failed' if failed else 'passed'}"
    return web.Response(text="\n".join([*lines, verdict, ""]), status=500 if failed else 200)
