"""Secrets in entries are blackened before anybody sees them, unless the viewer asks for them.

What counts as one: credentials in HTTP and gRPC headers, cookies, tokens and
passwords in URLs, forms and JSON bodies, the bodies of Kubernetes Secrets and
ServiceAccount tokens, and what logs in to a database. (PostgreSQL's password
messages are never kept in the first place.) A password inside a language that
nobody parses here, such as a shell command in a body, is not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pilotfish.tap.entry import Entry
from pilotfish.tap.outcome import redis_asked

REDACTED = "[redacted]"

_HEADERS = frozenset(
    (
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
        "x-amz-security-token",
        "x-vault-token",
    )
)
_NAME = (
    r"(?:access[_-]?token|api[_-]?key|auth[_-]?token|client[_-]?secret|id[_-]?token|passwd"
    r"|password|private[_-]?key|refresh[_-]?token|secret|session[_-]?id|signature|token)"
)
# name=value in queries and forms.
_PAIR = re.compile(rf"(?i)((?:^|[?&;]){_NAME}=)[^&;#\s]+")
# "name": "value" in JSON; the body may be cut off within the value.
_MEMBER = re.compile(rf'(?is)("{_NAME}"\s*:\s*")(?:[^"\\]|\\.)*("|\\?\Z)')
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_SQL_PASSWORD = re.compile(r"(?i)(\b(?:password|identified\s+by)\s*(?:=\s*)?)'(?:[^']|'')*(?:'|\Z)")
# Kubernetes paths whose bodies are secrets: Secrets, and tokens of ServiceAccounts.
_SECRET_PATH = re.compile(
    r"/api/v1/(?:namespaces/[^/]+/)?secrets(?:[/?]|\Z)|/serviceaccounts/[^/]+/token"
    r"|/apis/authentication\.k8s\.io/v1/tokenreviews"
)
_SECRET_KIND = re.compile(r'"kind"\s*:\s*"Secret(?:List)?"')

# Redis commands that carry passwords: how many of their words may be shown.
_REDIS_SHOWN = {"AUTH": 0, "HELLO": 1, "ACL": 2, "MIGRATE": 5}
_REDIS_SETTINGS = frozenset(("requirepass", "masterauth", "primaryauth"))

Fields = dict[str, Any]


def redacted(entry: Entry) -> Entry:
    """A copy of an entry in which secrets are replaced by `[redacted]`."""
    clean = dict(entry)
    change = _OF_PROTOCOL.get(entry["protocol"], _http)
    for side in ("request", "response"):
        if entry.get(side):
            clean[side] = change(dict(entry[side]), entry)
    for key in ("url", "path", "summary"):
        if key in entry:
            clean[key] = _text(entry[key])
    if entry["protocol"] == "redis" and entry.get("request"):
        # The answer stays as it is: a word of it may happen to be somebody's password.
        asked, shown = redis_asked(entry["request"]), redis_asked(clean["request"])
        summary = clean["summary"]
        if summary.startswith(asked):
            clean["summary"] = shown + summary[len(asked) :]
        else:
            for word in set(entry["request"]["args"]) - set(clean["request"]["args"]) - {""}:
                clean["summary"] = clean["summary"].replace(word, REDACTED)
    if entry["protocol"] == "postgresql":
        clean["summary"] = _SQL_PASSWORD.sub(rf"\1'{REDACTED}'", clean["summary"])
    return clean


def _text(text: str) -> str:
    """A URL, or a line that may hold one."""
    return _USER_INFO.sub(REDACTED, _PAIR.sub(rf"\1{REDACTED}", text))


def _http(fields: Fields, entry: Entry) -> Fields:
    for part in ("headers", "trailers"):
        if part in fields:
            fields[part] = {
                name: REDACTED if name.lower() in _HEADERS else value
                for name, value in fields[part].items()
            }
    for part in ("url", "path", "target"):
        if part in fields:
            fields[part] = _text(fields[part])
    if isinstance(fields.get("query"), dict):
        fields["query"] = {
            name: REDACTED if re.fullmatch(_NAME, name, re.IGNORECASE) else value
            for name, value in fields["query"].items()
        }
    if fields.get("body"):
        body = _body(fields["body"], entry)
        if body != fields["body"]:
            # The same, in other words.
            fields.pop("body_hex", None)
            fields.pop("decoded", None)
        fields["body"] = body
    return fields


def _body(body: str, entry: Entry) -> str:
    if _SECRET_PATH.search(entry.get("url") or "") or _SECRET_KIND.search(body):
        return REDACTED
    return _MEMBER.sub(rf"\1{REDACTED}\2", _PAIR.sub(rf"\1{REDACTED}", body))


def _redis(fields: Fields, entry: Entry) -> Fields:
    command, arguments = fields.get("command"), fields.get("args")
    if command is None or arguments is None:
        asked = (entry.get("request") or {}).get("args") or [""]
        if any(word.lower() in _REDIS_SETTINGS for word in asked):
            fields["value"] = REDACTED  # the answer to CONFIG GET requirepass
        return fields
    shown = _REDIS_SHOWN.get(command.upper(), len(arguments))
    words = [*arguments[:shown], *[REDACTED] * max(len(arguments) - shown, 0)]
    for at, word in enumerate(arguments[:-1]):
        if word.lower() in _REDIS_SETTINGS:
            words[at + 1] = REDACTED
    fields["args"] = words
    if words and fields.get("key") not in words:
        fields["key"] = words[0]
    return fields


def _postgresql(fields: Fields, _entry: Entry) -> Fields:
    if fields.get("query"):
        fields["query"] = _SQL_PASSWORD.sub(rf"\1'{REDACTED}'", fields["query"])
    if isinstance(fields.get("settings"), dict):
        fields["settings"] = {
            name: REDACTED if re.fullmatch(_NAME, name, re.IGNORECASE) else value
            for name, value in fields["settings"].items()
        }
    return fields


_OF_PROTOCOL: dict[str, Callable[[Fields, Entry], Fields]] = {
    "redis": _redis,
    "postgresql": _postgresql,
}
