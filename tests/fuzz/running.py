"""A run of the fuzzer: requests sent, answers judged."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.client import Connection, HangError
from fuzz.examples import EXAMPLES
from fuzz.requests import RESOURCES_OF_KINDS, Request

# Where kube-apiserver answers 500 or more to a request that was understood.
_ALLOWED = (
    "failed to create typed patch object",
    "resourceVersion should not be set on objects to be created",
    "This pod has more than one PodDisruptionBudget",
    "Too large resource version",
    "no preferred addresses found",
)
# Requests may delete or spoil what the others are about.
_PREPARED_EVERY = 200
# Subresources that reach for a kubelet, of which there is none here.
_CONNECTIONS = ("/attach", "/exec", "/log", "/portforward", "/proxy")


@dataclass
class Outcome:
    """What a run found.

    Attributes:
        codes: how often each status was answered.
        failures: the requests that were answered wrongly, and how.
    """

    codes: Counter[int] = field(default_factory=Counter)
    failures: list[tuple[Request, str]] = field(default_factory=list)


def run(
    process: subprocess.Popen[bytes],
    path: Path,
    sent: Iterable[Request],
    progress: Callable[[int, Outcome], None] = lambda number, outcome: None,
) -> Outcome:
    """Send requests one after the other; ends early when the server does not live on."""
    outcome, connection = Outcome(), Connection(path)
    for number, request in enumerate(sent, 1):
        try:
            if number % _PREPARED_EVERY == 1:
                _prepare(connection)
            code, head, body = connection.send(request)
        except (HangError, OSError, ValueError) as error:
            outcome.failures.append((request, f"{type(error).__name__}: {error}"))
            if process.poll() is not None or isinstance(error, HangError):
                break
            continue
        outcome.codes[code] += 1
        why = wrong(request, code, head, body)
        if why:
            outcome.failures.append((request, why))
        progress(number, outcome)
    connection.close()
    return outcome


def _prepare(connection: Connection) -> None:
    """Create the examples that are not there."""
    for example in EXAMPLES:
        resource = RESOURCES_OF_KINDS[example["apiVersion"], example["kind"]]
        path = resource.path(example["metadata"].get("namespace", ""))
        body = json.dumps(example).encode()
        connection.send(Request("POST", path, [("Content-Type", "application/json")], body))


def wrong(request: Request, code: int, head: bytes, body: bytes) -> str:
    """What is wrong with an answer; "" for nothing."""
    if code < 400 or request.method == "HEAD":
        return ""
    first = head.split(b"\r\n", 1)[0].decode()
    if b"content-encoding" in head.lower():
        return "" if code < 500 else first
    is_connection = request.target.partition("?")[0].rstrip("/").endswith(_CONNECTIONS)
    try:
        status = json.loads(body)
        message, told = status["message"], (status["kind"], status["code"])
        assert isinstance(status["reason"], str)
    except (ValueError, KeyError, TypeError, AssertionError):
        # aiohttp refuses what is no HTTP before the API server sees it.
        is_http = b"server: python" in head.lower() and code == 400
        proxied = is_connection or "/proxy/" in request.target
        return "" if is_http or proxied else f"{first}: no Status: {body[:300]!r}"
    if told != ("Status", code):
        return f"{first}: a Status of {told}"
    if code >= 500 and not any(words in message for words in _ALLOWED):
        is_connection = is_connection or "/proxy/" in request.target
        if not (is_connection and code in (501, 502, 503, 504)):
            return f"{code}: {message}"
    return ""
