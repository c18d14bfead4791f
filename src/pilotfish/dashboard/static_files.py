"""The built page: files of the package, compressed once.

Its files under assets/ have a hash of their content in their names, so a browser that has one
need never ask again.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

import brotli
from aiohttp import web

from pilotfish.dashboard.refusals import RefusedError

FOLDER = Path(__file__).parent / "static"
# The page's own addresses: it finds out by itself which of them it shows.
PAGES = ("/", "/traffic", "/services", "/map")

_COMPRESSED = (".html", ".js", ".css", ".svg", ".json", ".webmanifest")
_QUALITY = 9
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


@dataclass(frozen=True)
class _File:
    content_type: str
    plain: bytes
    brotli: bytes | None
    tag: str


class StaticFiles:
    """Serves the files of a folder, and no others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[int, _File]] = {}

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page, for each of its addresses."""
        try:
            return await self._answer(request, self._folder / "index.html", "no-cache")
        except web.HTTPNotFound:
            raise RefusedError(
                503, "The page is not built", str(self._folder), f"run: {_way_to_build()}"
            ) from None

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """A file with a hash in its name."""
        path = self._folder / "assets" / _plain(request.match_info["name"])
        return await self._answer(request, path, "public, max-age=31536000, immutable")

    async def other(self, request: web.Request) -> web.StreamResponse:
        """A file beside the page: its icon."""
        path = self._folder / _plain(request.match_info["name"])
        return await self._answer(request, path, "no-cache")

    async def _answer(self, request: web.Request, path: Path, caching: str) -> web.Response:
        try:
            file = await self._file(path)
        except (FileNotFoundError, IsADirectoryError):
            raise web.HTTPNotFound from None
        headers = {
            "Cache-Control": caching,
            "ETag": file.tag,
            "Vary": "Accept-Encoding",
            "Content-Type": file.content_type,
        }
        if request.headers.get("If-None-Match") == file.tag:
            return web.Response(status=304, headers=headers)
        if file.brotli is not None and "br" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "br"
            return web.Response(body=file.brotli, headers=headers)
        return web.Response(body=file.plain, headers=headers)

    async def _file(self, path: Path) -> _File:
        """A file as it is now: a page that is built again is served at once."""
        changed_ns = path.stat().st_mtime_ns
        known = self._known.get(path)
        if known is None or known[0] != changed_ns:
            known = self._known[path] = (changed_ns, await asyncio.to_thread(_read, path))
        return known[1]


def _way_to_build() -> str:
    checkout = FOLDER.parents[3]
    if (checkout / "web").is_dir():
        return f"make -C {checkout} web"
    return "make install, in a clone of Pilotfish"


def _plain(name: str) -> str:
    """The name of a file, of which none leads out of the folder."""
    if not _NAME.fullmatch(name):
        raise web.HTTPNotFound
    return name


def _read(path: Path) -> _File:
    plain = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix == ".js":
        kind = "text/javascript"  # what the machine's own list says differs
    packed = brotli.compress(plain, quality=_QUALITY) if path.suffix in _COMPRESSED else None
    text = kind.startswith("text/") or path.suffix in _COMPRESSED
    tag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
    return _File(f"{kind}; charset=utf-8" if text else kind, plain, packed, tag)
