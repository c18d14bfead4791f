"""How the values of variables are found in an entry (docs/reference/entries.md).

What an entry does not have is the default value of its type.
"""

from __future__ import annotations

from typing import Any

from pilotfish.cel.types import STRING, STRING_MAP, Type, default_of
from pilotfish.tap.filter.shapes import LOOK_UP, PEER, Entry, Get


def key(name: str, kind: Type) -> Get:
    """A key of the entry."""
    default = default_of(kind)

    def get(entry: Entry) -> Any:
        try:
            found = entry[name]
        except KeyError:
            return default
        return default if found is None else found

    return get


def in_message(side: str, key: str, kind: Type, protocol: str) -> Get:
    """A field of the request or response, for entries of one protocol."""
    default = default_of(kind)

    def get(entry: Entry) -> Any:
        if entry["protocol"] != protocol:
            return default
        found = (entry[side] or {}).get(key)
        return default if found is None else found

    return get


def is_any_of(*names: str) -> Get:
    if len(names) == 1:
        (name,) = names
        return lambda entry: entry["protocol"] == name
    return lambda entry: entry["protocol"] in names


def has(protocol: str, side: str) -> Get:
    return lambda entry: entry["protocol"] == protocol and entry[side] is not None


def size(protocol: str, *sides: str) -> Get:
    def get(entry: Entry) -> int:
        if entry["protocol"] != protocol:
            return 0
        return sum(entry["bytes"][side] for side in sides)

    return get


HTTP = ("http", "grpc")
endpoint_of = key("endpoint", PEER)


def destination(entry: Entry) -> Any:
    """What the client asked for, with the Pod that was chosen and the name that led there."""
    asked, chosen, found = entry["dst"], endpoint_of(entry), look_up(entry)
    pod = chosen.get("pod")
    if pod is None and not found:
        return asked
    more = {"pod": pod} if pod is not None else {}
    return {**asked, **more, "dns": found.get("name", "").removesuffix(".")}


look_up = key("dns", LOOK_UP)
connection = key("conn", STRING_MAP)
source = key("src", PEER)


def http_version(entry: Entry) -> str:
    if entry["protocol"] not in HTTP:
        return ""
    return str((entry["request"] or entry["response"] or {}).get("version", ""))


def query_string(entry: Entry) -> Any:
    if entry["protocol"] not in HTTP:
        return {}
    return (entry["request"] or {}).get("query") or {}


def http_part(side: str, of_body: bool) -> Get:
    """Bytes of the body, or of the headers and what frames them."""

    def get(entry: Entry) -> int:
        if entry["protocol"] not in HTTP:
            return 0
        message = entry[side] or {}
        body = message.get("body_size", 0)
        return int(body if of_body else max(message.get("size", 0) - body, 0))

    return get


def questions(entry: Entry) -> list[str]:
    said = _dns_message(entry)
    return [said["name"].removesuffix(".")] if said.get("name") else []


def question_types(entry: Entry) -> list[str]:
    said = _dns_message(entry)
    return [said["type"]] if said.get("type") else []


def _dns_message(entry: Entry) -> Any:
    if entry["protocol"] != "dns":
        return {}
    return entry["request"] or entry["response"] or {}


def answers(entry: Entry) -> list[str]:
    if entry["protocol"] != "dns":
        return []
    answers = (entry["response"] or {}).get("answers", ())
    return [answer["data"].removesuffix(".") for answer in answers]


def redis_command(entry: Entry) -> str:
    request = entry["request"] if entry["protocol"] == "redis" else None
    return " ".join((request["command"], *request["args"])) if request else ""


def redis_key(entry: Entry) -> str:
    return str(in_message("request", "key", STRING, "redis")(entry))[:64]


def postgresql_success(entry: Entry) -> bool:
    return entry["protocol"] == "postgresql" and bool(entry["response"]) and not entry["error"]


def grpc_status(entry: Entry) -> int:
    if entry["protocol"] != "grpc":
        return -1
    status = (entry["response"] or {}).get("grpc_status")
    return -1 if status is None else status


def payload(protocol: str) -> Get:
    def get(entry: Entry) -> bytes:
        if entry["protocol"] != protocol:
            return b""
        return bytes.fromhex((entry["request"] or {}).get("hex", ""))

    return get


def tls_summary(entry: Entry) -> str:
    if entry["protocol"] != "tls":
        return ""
    return "ServerHello" if entry["response"] is not None else "ClientHello"


def tls_info(entry: Entry) -> str:
    if entry["protocol"] != "tls":
        return ""
    response = entry["response"] or {}
    return ", ".join(filter(None, (response.get("version"), response.get("cipher"))))


def ws_opcode(entry: Entry) -> str:
    if entry["protocol"] != "websocket":
        return ""
    return str((entry["request"] or entry["response"] or {}).get("method", ""))


def in_pods(entry: Entry) -> list[str]:
    return [
        each["name"] for each in (source(entry).get("pod"), endpoint_of(entry).get("pod")) if each
    ]


def in_services(entry: Entry) -> list[str]:
    service = entry["dst"].get("service")
    return [service["name"]] if service else []


def in_namespaces(entry: Entry) -> list[str]:
    parts = (
        source(entry).get("pod"),
        endpoint_of(entry).get("pod"),
        entry["dst"].get("service"),
    )
    return list(dict.fromkeys(part["namespace"] for part in parts if part))


def labels(peer: Get) -> Get:
    return lambda entry: (peer(entry).get("pod") or {}).get("labels") or {}


def node_of(peer: Get) -> Get:
    def get(entry: Entry) -> str:
        found = peer(entry)
        return str(
            (found.get("pod") or {}).get("node") or (found.get("node") or {}).get("name", "")
        )

    return get


def counted(side: str, key: str) -> Get:
    return lambda entry: connection(entry).get(key, {}).get(side, 0)


def look_ups(entry: Entry) -> list[str]:
    name = look_up(entry).get("name", "").removesuffix(".")
    return [name] if name else []


def failure(*of: str) -> Get:
    return lambda entry: entry["failure"] if entry["protocol"] in of else ""
