"""HTTP entries as a HAR file, which browsers' developer tools open.

HTTP Archive 1.2. Other protocols have no place in it and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from pilotfish.tap.entry import Entry
from pilotfish.tap.formats.terminal import escape_json
from pilotfish.version import __version__

_HTTP = ("http", "http2", "grpc")


class HarWriter:
    """Writes one file, entry by entry; it is complete when closed."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._separator = b""
        creator = orjson.dumps({"name": "Pilotfish", "version": __version__})
        write(b'{"log":{"version":"1.2","creator":' + creator + b',"pages":[],"entries":[')

    def entry(self, entry: Entry) -> None:
        """Take an entry."""
        if entry["protocol"] in _HTTP and entry.get("request"):
            self._write(self._separator + escape_json(orjson.dumps(_entry(entry))))
            self._separator = b",\n"

    def close(self) -> None:
        """End the file."""
        self._write(b"]}}\n")


def _entry(entry: Entry) -> dict[str, Any]:
    request, response = entry["request"], entry.get("response") or {}
    timing = entry.get("timing") or {}
    connect, wait, transfer = (
        _millis(timing.get(name)) for name in ("connect", "wait", "transfer")
    )
    endpoint = entry.get("endpoint") or entry["dst"]
    return {
        "startedDateTime": entry["timestamp"],
        "time": sum(part for part in (connect, wait, transfer) if part > 0),
        "request": _request(entry, request),
        "response": _response(response),
        "cache": {},
        "timings": {
            "blocked": -1,
            "dns": -1,
            "connect": connect,
            "send": 0,
            "wait": max(wait, 0),
            "receive": max(transfer, 0),
            "ssl": -1,
        },
        "serverIPAddress": endpoint["ip"],
        "connection": entry["conn"]["id"],
        "comment": f"{_name(entry['src'])} → {_name(entry['dst'])} → {_name(endpoint)}",
    }


def _request(entry: Entry, request: dict[str, Any]) -> dict[str, Any]:
    headers = request.get("headers") or {}
    url = request.get("url", "")
    if "://" not in url:
        url = f"http://{headers.get('host') or _address(entry['dst'])}{url}"
    shown: dict[str, Any] = {
        "method": request.get("method", ""),
        "url": url,
        "httpVersion": request.get("version", ""),
        "cookies": [],
        "headers": _pairs(headers.items()),
        "queryString": _pairs(_query(url)),
        "headersSize": -1,
        "bodySize": request.get("body_size", 0),
    }
    if request.get("body"):
        mime = headers.get("content-type", "application/octet-stream")
        shown["postData"] = {"mimeType": mime, "text": request["body"]}
    return shown


def _response(response: dict[str, Any]) -> dict[str, Any]:
    """An answer; one that never came has status 0, as browsers write it."""
    headers = response.get("headers") or {}
    return {
        "status": response.get("status_code", 0),
        "statusText": response.get("reason", ""),
        "httpVersion": response.get("version", ""),
        "cookies": [],
        "headers": _pairs(headers.items()),
        "content": {
            "size": response.get("body_size", 0),
            "mimeType": headers.get("content-type", ""),
            "text": response.get("body", ""),
        },
        "redirectURL": headers.get("location", ""),
        "headersSize": -1,
        "bodySize": response.get("body_size", 0),
    }


def _pairs(items: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in items]


def _query(url: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        return []  # what was asked for is no URL


def _millis(micros: int | None) -> float:
    return -1 if micros is None else micros / 1000


def _address(party: dict[str, Any]) -> str:
    return f"{party['ip']}:{party['port']}"


def _name(party: dict[str, Any]) -> str:
    return str(party.get("name") or party["ip"])
