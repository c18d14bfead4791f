"""Where etcd is, as users write it: `etcd://HOST[:PORT][,HOST[:PORT]…][/PREFIX]`. Pure.

`etcds://` is the same over TLS; `?ca=FILE&cert=FILE&key=FILE` name the authority that signed etcd's
certificate, and what this side shows for itself.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote

DEFAULT_PREFIX: Final = "/registry"
_DEFAULT_PORT: Final = 2379
_FILES: Final = ("ca", "cert", "key")
# No URL of RFC 3986, which has one host: some versions of urlsplit refuse several.
_ADDRESS: Final = re.compile(
    r"(?P<scheme>etcds?)://(?P<members>[^/?#]+)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?"
)
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")


class AddressError(ValueError):
    """Text that is no address of etcd. mend: what to write instead."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


@dataclass(frozen=True)
class EtcdAddress:
    """One etcd cluster, and a part of its keys.

    Attributes:
        endpoints: (host, port) of its members.
        prefix: what all keys begin with, without a slash at its end: "/registry".
        tls: whether to speak TLS.
        ca, cert, key: PEM files; "" for none.
    """

    endpoints: tuple[tuple[str, int], ...]
    prefix: str = DEFAULT_PREFIX
    tls: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""

    def __str__(self) -> str:
        hosts = ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.endpoints
        )
        return f"etcd{'s' if self.tls else ''}://{hosts}{self.prefix}"

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS to speak, None for none.

        Raises:
            OSError: for a file that cannot be read or holds no certificate or key.
        """
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.ca or None)
        context.set_alpn_protocols(["h2"])
        if self.cert:
            context.load_cert_chain(self.cert, self.key or None)
        return context


def parse_address(text: str) -> EtcdAddress:
    """Read an address.

    Raises:
        AddressError: for anything else.
    """
    form = "use etcd://HOST:PORT[,HOST:PORT…][/PREFIX], or etcds:// for TLS"
    parts = _ADDRESS.fullmatch(text)
    if parts is None:
        raise AddressError("not the address of a store", form)
    if "@" in parts["members"]:
        raise AddressError("etcd's users with passwords are not supported", "use certificates")
    endpoints = tuple(_endpoint(member, form) for member in parts["members"].split(","))
    prefix = unquote(parts["path"]).rstrip("/") or DEFAULT_PREFIX
    files: dict[str, str] = {}
    for name, value in parse_qsl(parts["query"] or "", keep_blank_values=True):
        if name not in _FILES or not value.startswith("/"):
            raise AddressError(
                f"not a setting of a store: {name}={value}", "use ca=, cert= and key= with paths"
            )
        files[name] = value
    tls = parts["scheme"] == "etcds"
    if files and not tls:
        raise AddressError("certificates without TLS", "write etcds:// instead of etcd://")
    if ("cert" in files) != ("key" in files):
        raise AddressError("a certificate and its key go together", "give both cert= and key=")
    return EtcdAddress(endpoints, prefix, tls, **files)


def _endpoint(text: str, form: str) -> tuple[str, int]:
    host, port = text, ""
    if not text.endswith("]"):
        host, separator, port = text.rpartition(":")
        if not separator:
            host, port = text, ""
    if not _HOST.fullmatch(host):
        raise AddressError(f"not a host: {text!r}", form)
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise AddressError(f"not a port: {text!r}", form)
    return host.strip("[]"), int(port or _DEFAULT_PORT)
