"""What a tap worker is told by who starts it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

PORT = 10251


@dataclass(frozen=True)
class TapConfig:
    """Paths are files of PEM data; addresses are text.

    Attributes:
        node_name: the node that the worker is on.
        address, port: where it serves.
        server: base URL of the API server.
        ca: who signed all certificates, the viewers' too.
        cert, key: what the worker serves with.
        client_cert, client_key: who it is to the API server.
        host_addresses: what the cluster knows as "host".
        beat_file: where the session's event loop shows that it turns; "" for nowhere.
        log_file, log_format: the node's log, to which the session writes; "" for standard error.
    """

    node_name: str
    address: str
    server: str
    ca: str
    cert: str
    key: str
    client_cert: str
    client_key: str
    host_addresses: tuple[str, ...] = ()
    port: int = PORT
    beat_file: str = ""
    log_file: str = ""
    log_format: str = "text"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TapConfig:
        content = json.loads(text)
        return cls(**content | {"host_addresses": tuple(content["host_addresses"])})
