"""What came of an exchange, in few words: its status, and one line for people.

One small function per protocol, under its name in `_OF`. They are asked about
every exchange that a filter looks at, so those of HTTP/1 read the start lines
only; the others take the messages' `fields()`, which the entry keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pilotfish.tap.dissectors.dns_message import RCODES
from pilotfish.tap.dissectors.http_message import HttpMessage
from pilotfish.tap.exchange import Exchange

MAX_SUMMARY_CHARS = 200
_MAX_PART_CHARS = 120

# Failures of the capture, not of what was captured: the answer may have come all the same.
UNSEEN = frozenset(("", "lost", "open"))

_RCODE_NUMBERS = {name: number for number, name in RCODES.items()}
# That a name does not exist is an answer, and in the course of every look-up that goes through
# the search domains (resolv.conf(5)) an ordinary one.
_DNS_ANSWERS = frozenset(("NOERROR", "NXDOMAIN"))

Fields = dict[str, Any]


class Outcome(NamedTuple):
    """Method, URL and path are "" where the protocol has none; so is the status when unknown.

    Attributes:
        status_code: of HTTP, or DNS (the RCODE); None for others, and without an answer.
        status: the same by name, or as the protocol has it: "200", "NXDOMAIN", "OK", "WRONGTYPE";
            the failure where there is one.
        error: whether the answer is an error, or there is none.
        summary: one line for people. Not escaped.
    """

    method: str
    url: str
    path: str
    status_code: int | None
    status: str
    error: bool
    summary: str


def of(exchange: Exchange, messages: Mapping[str, Fields | None], failure: str) -> Outcome:
    """What came of an exchange.

    Args:
        exchange: what was seen.
        messages: `request` and `response` → their fields; asked only for what is needed.
        failure: why there is no whole answer, as the entry has it; "" without a reason.
    """
    return _OF.get(exchange.protocol, _other)(exchange, messages, failure)


def _http(exchange: Exchange, messages: Mapping[str, Fields | None], failure: str) -> Outcome:
    method, url, path, code = _http_lines(exchange, messages)
    status = failure or (str(code) if code else "")
    error = failure not in UNSEEN or (code or 0) >= 400
    return _told(method, url, path, code, status, error, f"{method or '?'} {short(url)}", status)


def _http_lines(
    exchange: Exchange, messages: Mapping[str, Fields | None]
) -> tuple[str, str, str, int | None]:
    """Method, URL, path and status code."""
    method = url = path = ""
    code: int | None = None
    request, response = exchange.request, exchange.response
    if isinstance(request, HttpMessage) and request.head.find(b" /", 0, 20) > 0:
        method, url, _ = request.start_line
        path = url.partition("?")[0].partition("#")[0]
    elif request is not None:
        fields = messages["request"] or {}
        method, url, path = fields["method"], fields["url"], fields["path"]
    if isinstance(response, HttpMessage):
        given = response.start_line[1]
        code = int(given) if given.isascii() and given.isdigit() and len(given) == 3 else None
    elif response is not None:
        code = (messages["response"] or {})["status_code"] or None
    return method, url, path, code


def _grpc(_exchange: Exchange, messages: Mapping[str, Fields | None], failure: str) -> Outcome:
    request, response = messages["request"] or {}, messages["response"] or {}
    method = request.get("method", "")
    path = request.get("path", "")
    code = response.get("status_code") or None
    # Without a status of its own (the server is no gRPC server) the status of HTTP says it.
    status = failure or response.get("grpc_status_name") or str(code or "")
    error = failure not in UNSEEN or response.get("grpc_status", 0) != 0
    shown = status
    if response.get("grpc_message"):
        shown = f"{status}: {short(response['grpc_message'])}"
    call = path.lstrip("/") or "?"
    return _told(method, request.get("url", ""), path, code, status, error, short(call), shown)


def _websocket(exchange: Exchange, messages: Mapping[str, Fields | None], failure: str) -> Outcome:
    said = messages["request"] or messages["response"] or {}
    kind, path = said.get("method", ""), said.get("path", "")
    if kind == "close":
        code = said.get("close_code", 1005)
        status = failure or str(code)
        what = " ".join(filter(None, (f"close {code}", short(said.get("close_reason", "")))))
    else:
        status = failure
        body = said.get("body", "") if kind == "text" else ""
        what = f"{kind} {short(body) or size_text(said.get('body_size', 0))}"
    arrow = "←" if exchange.request is None else "→"
    summary = f"WS {short(path)} {arrow} {what}"
    if failure:
        summary += f" ({failure})"
    # 1000, 1001 and 1005: it was closed in an orderly way (RFC 6455, section 7.4.1).
    bad = kind == "close" and status not in ("1000", "1001", "1005")
    error = failure not in UNSEEN or bad
    return Outcome(kind, "", path, None, status, error, summary[:MAX_SUMMARY_CHARS])


def _dns(_exchange: Exchange, messages: Mapping[str, Fields | None], failure: str) -> Outcome:
    asked = messages["request"] or messages["response"] or {}
    response = messages["response"]
    kind, name = asked.get("type", ""), asked.get("name", "")
    status = failure
    shown = failure
    code = None
    if response is not None:
        rcode = response["rcode"]
        code = _RCODE_NUMBERS.get(rcode, int(rcode) if rcode.isdigit() else None)
        status = status or rcode
        data = [answer["data"] for answer in response["answers"] if answer["type"] == kind]
        data = data or [answer["data"] for answer in response["answers"]]
        more = f" and {len(data) - 3} more" if len(data) > 3 else ""
        shown = shown or (", ".join(map(short, data[:3])) + more if data else "")
        shown = shown or ("no such record" if status == "NOERROR" else status)
    error = failure not in UNSEEN or status not in _DNS_ANSWERS | UNSEEN
    shorter = name.removesuffix(".") or name
    return _told(kind, "", "", code, status, error, f"{kind} {short(shorter)}", shown)


def _redis(_exchange: Exchange, messages: Mapping[str, Fields | None], failure: str) -> Outcome:
    request, response = messages["request"], messages["response"]
    method = request["method"] if request else ""
    if request is None and response is not None:
        return _redis_push(response, failure)
    asked = redis_asked(request) if request else "?"
    if response is None:
        return _told(method, "", "", None, failure, failure not in UNSEEN, asked, failure)
    status = failure or response["status"]
    error = failure not in UNSEEN or bool(response["error"])
    return _told(method, "", "", None, status, error, asked, failure or _value(response["value"]))


def redis_asked(request: Fields) -> str:
    """A Redis command for people: its name and the first of its arguments."""
    asked = " ".join((request["method"], *map(short, request["args"][:2])))
    return short(asked + " …" if len(request["args"]) > 2 else asked)


def _redis_push(response: Fields, failure: str) -> Outcome:
    """What nobody asked for: "message CHANNEL → …", or an error."""
    value = response["value"]
    asked, said = "(pushed)", value
    if isinstance(value, list) and len(value) > 1 and isinstance(value[0], str):
        asked, said = " ".join(str(part) for part in value[:-1]), value[-1]
    status = failure or response["status"]
    error = failure not in UNSEEN or bool(response["error"])
    return _told("", "", "", None, status, error, short(asked), failure or _value(said))


def _value(value: Any) -> str:
    """A Redis value for people."""
    if value is None:
        return "nil"
    if isinstance(value, list | dict):
        return f"{len(value)} item{'s' * (len(value) != 1)}"
    return short(str(value))


def _postgresql(
    _exchange: Exchange, messages: Mapping[str, Fields | None], failure: str
) -> Outcome:
    request, response = messages["request"] or {}, messages["response"] or {}
    method = request.get("method", "")
    query = " ".join(str(request.get("query", "")).split())
    asked = short(query) or method or "(unasked)"
    if "channel" in response:
        asked = f"NOTIFY {short(response['channel'])}"
    problem = response.get("error_code") or ""
    status = failure or problem or response.get("status", "")
    error = failure not in UNSEEN or bool(problem)
    if problem:
        shown = f"{problem} {short(response.get('error_message', ''))}"
    elif "channel" in response:
        shown = short(response["payload"]) or "(no payload)"
    elif response.get("columns"):
        rows = response["rows"]
        shown = f"{rows} row{'s' * (rows != 1)}"
    else:
        # What was done, as the server puts it: "INSERT 0 1", "CREATE TABLE".
        shown = ", ".join(map(short, response.get("commands", ())[:3])) or status
    shown = failure or shown
    return _told(method, "", "", None, status, error, asked, shown)


def _tls(_exchange: Exchange, messages: Mapping[str, Fields | None], failure: str) -> Outcome:
    request, response = messages["request"] or {}, messages["response"] or {}
    name = request.get("server_name") or "(no name)"
    version = str(response.get("version") or request.get("version") or "").removeprefix("TLS ")
    alert = response.get("alert") or request.get("alert") or ""
    status = failure or alert or response.get("status", "")
    summary = f"TLS {short(name)}" + (f" ({version})" if version else "")
    error = failure not in UNSEEN or bool(alert)
    if failure or alert:
        summary += f" → {failure or alert}"
    return Outcome("", "", "", None, status, error, summary[:MAX_SUMMARY_CHARS])


def _flow(exchange: Exchange, _messages: Mapping[str, Fields | None], failure: str) -> Outcome:
    """Plain TCP and UDP: how much was said."""
    said = [
        size_text(message.size) if message is not None else "nothing"
        for message in (exchange.request, exchange.response)
    ]
    what = exchange.protocol.upper()
    opened = failure in UNSEEN or exchange.connection.established_s is not None
    summary = f"{what} {said[0]} → {said[1]}" if opened else f"{what} → {failure}"
    if opened and failure:
        summary += f" ({failure})"
    return Outcome("", "", "", None, failure, failure not in UNSEEN, summary)


def _other(exchange: Exchange, messages: Mapping[str, Fields | None], failure: str) -> Outcome:
    """A protocol without words of its own: what its fields say, if they have the usual names."""
    request, response = messages["request"] or {}, messages["response"] or {}
    method, url, path = (str(request.get(key) or "") for key in ("method", "url", "path"))
    status = failure or str(response.get("status") or "")
    error = failure not in UNSEEN or bool(response.get("error"))
    asked = " ".join(filter(None, (exchange.protocol.upper(), method, url or path)))
    return _told(method, url, path, None, status, error, short(asked), short(status))


def _told(
    method: str,
    url: str,
    path: str,
    code: int | None,
    status: str,
    error: bool,
    asked: str,
    answered: str,
) -> Outcome:
    summary = f"{asked} → {answered or 'no answer'}"
    return Outcome(method, url, path, code, status, error, summary[:MAX_SUMMARY_CHARS])


def short(text: str) -> str:
    """At most so much of a text as has its place in a line."""
    return text if len(text) <= _MAX_PART_CHARS else text[: _MAX_PART_CHARS - 1] + "…"


def size_text(size: int) -> str:
    """Bytes for people: "120 B", "3.4 kB"."""
    if size < 1000:
        return f"{size} B"
    power = min((len(str(size)) - 1) // 3, 3)
    return f"{size / 1000**power:.1f} {('kB', 'MB', 'GB')[power - 1]}"


_OF: dict[str, Callable[[Exchange, Mapping[str, Fields | None], str], Outcome]] = {
    "http": _http,
    "grpc": _grpc,
    "websocket": _websocket,
    "dns": _dns,
    "redis": _redis,
    "postgresql": _postgresql,
    "tls": _tls,
    "tcp": _flow,
    "udp": _flow,
}
