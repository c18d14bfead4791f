"""The server of `pilotfish proxy`: which address leads where."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from pilotfish.dashboard import static_files
from pilotfish.dashboard.access import Access
from pilotfish.dashboard.api import Api, health, openapi
from pilotfish.dashboard.dashboard import Dashboard
from pilotfish.dashboard.downloads import Downloads
from pilotfish.dashboard.entrance import Entrance, add_headers
from pilotfish.dashboard.live import Live
from pilotfish.dashboard.searching import Searches
from pilotfish.dashboard.static_files import PAGES, StaticFiles
from pilotfish.dashboard.visits import Doorkeeper

# Filters stand in addresses.
_MAX_LINE_BYTES = 32 * 1024
# Answers that are being sent when the command ends.
_SHUTDOWN_S = 0.5


def application(
    dashboard: Dashboard, access: Access, address: str, port: int, on_used: Callable[[], None]
) -> web.Application:
    """The whole of it.

    Args:
        dashboard: what it shows.
        access: who may look.
        address, port: where it listens.
        on_used: is called when a link was used up.
    """
    entrance = Entrance(Doorkeeper(address, port, access), access, port, on_used)
    app = web.Application(middlewares=[entrance.__call__], client_max_size=1024)
    app.on_response_prepare.append(add_headers)
    searches = Searches()
    api, live, files = (
        Api(dashboard, searches),
        Live(dashboard, searches),
        StaticFiles(static_files.FOLDER),
    )
    app.on_shutdown.append(live.close)
    app.router.add_get("/api/v1/live", live.handle)
    app.router.add_get("/api/v1/session", api.session)
    app.router.add_get("/api/v1/status", api.status)
    app.router.add_get("/api/v1/entries", api.entries)
    app.router.add_get("/api/v1/entries/{id}", api.entry)
    app.router.add_get("/api/v1/rows", api.rows)
    app.router.add_get("/api/v1/filter/completions", api.completions)
    app.router.add_get("/api/v1/services", api.services)
    app.router.add_get("/api/v1/map", api.map)
    app.router.add_get("/api/v1/download", Downloads(dashboard).handle)
    app.router.add_get("/api/v1/openapi.json", openapi)
    app.router.add_get("/metrics", api.metrics)
    app.router.add_get("/healthz", health)
    app.router.add_get("/assets/{name}", files.asset)
    for path in PAGES:
        app.router.add_get(path, files.page)
    app.router.add_get("/{name}", files.other)
    return app


async def start(app: web.Application, address: str, port: int) -> web.AppRunner:
    """Serve until `cleanup()` of what is returned. Raises OSError where the port is not free."""
    runner = web.AppRunner(
        app,
        access_log=None,
        max_line_size=_MAX_LINE_BYTES,
        max_field_size=_MAX_LINE_BYTES,
        shutdown_timeout=_SHUTDOWN_S,
        # Nobody looks for what nobody waits for.
        handler_cancellation=True,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner
