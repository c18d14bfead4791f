"""Where the API server is and who we are to it: kubeconfig files and credentials."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pilotfish.client.invoker import kubeconfig_files


class ConfigError(Exception):
    """The kubeconfig cannot be used; the text says which file, what, and what to do."""


@dataclass(frozen=True)
class ClientConfig:
    """How to reach one API server, and the credentials to show.

    Certificates and keys are given as PEM data or as paths of files that hold it.

    Attributes:
        server: base URL, `https://host:port`.
        ca: the CA that signed the server's certificate; None for the system's CAs.
        cert, key: the client certificate, when that is who we are.
        token: a bearer token, when that is who we are; `token_file` is read again as it rotates.
        namespace: the namespace of requests that name none.
        verify: False only where the kubeconfig says insecure-skip-tls-verify.
        server_name: the name to look for in the server's certificate instead of the URL's.
        socket: a Unix socket to connect to in place of the host in `server`.
    """

    server: str
    ca: bytes | Path | None = None
    cert: bytes | Path | None = None
    key: bytes | Path | None = None
    token: str = ""
    token_file: Path | None = None
    namespace: str = "default"
    verify: bool = True
    server_name: str = ""
    socket: Path | None = None

    @classmethod
    def from_kubeconfig(cls, path: str | Path | None = None, context: str = "") -> ClientConfig:
        """Read a context of a kubeconfig, by kubectl's rules.

        Args:
            path: the file; else the files of $KUBECONFIG, merged; else ~/.kube/config.
            context: its name; else the file's current-context.

        Raises:
            ConfigError: for a missing file or context, or credentials this client cannot use.
        """
        files = [Path(path)] if path else kubeconfig_files(os.environ)
        merged = _merged(files)
        where = ":".join(str(file) for file in files)
        chosen = context or merged["current-context"]
        if not chosen:
            raise ConfigError(f"{where}: no current-context; name one with --context")
        entry = merged["contexts"].get(chosen)
        if entry is None:
            known = ", ".join(merged["contexts"]) or "none"
            raise ConfigError(f"{where}: no context named {chosen!r} (there is: {known})")
        return _config(merged, entry, f"{where}: context {chosen!r}")

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS settings of connections; None for a plain http:// server."""
        if not self.server.startswith("https://"):
            return None
        context = ssl.create_default_context(
            cafile=str(self.ca) if isinstance(self.ca, Path) else None,
            cadata=self.ca.decode() if isinstance(self.ca, bytes) else None,
        )
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert and self.key:
            _load_pair(context, self.cert, self.key)
        return context

    def bearer_token(self) -> str:
        """The token to send now; "" where a certificate speaks for us."""
        if self.token_file:
            return self.token_file.read_text().strip()
        return self.token


def current_context(path: str | Path | None = None) -> str:
    """Name of the context that kubectl would use; "" for none. Raises ConfigError."""
    name: str = _merged([Path(path)] if path else kubeconfig_files(os.environ))["current-context"]
    return name


def _merged(files: list[Path]) -> dict[str, Any]:
    """Several files as one: for each name the first file wins (kubectl's rule)."""
    merged: dict[str, Any] = {"current-context": "", "contexts": {}, "clusters": {}, "users": {}}
    found = False
    for file in files:
        if not file.exists():
            continue
        found = True
        content = _read(file)
        merged["current-context"] = merged["current-context"] or content.get("current-context", "")
        for kind, part in (("contexts", "context"), ("clusters", "cluster"), ("users", "user")):
            for item in content.get(kind) or ():
                # Paths in a kubeconfig are relative to its own folder.
                entry = {**(item.get(part) or {}), "_folder": file.parent}
                merged[kind].setdefault(item.get("name", ""), entry)
    if not found:
        names = ", ".join(str(file) for file in files)
        raise ConfigError(f"no kubeconfig: {names} does not exist; start a cluster: pilotfish up")
    return merged


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: cannot be read as a kubeconfig: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: is no kubeconfig: its content is no mapping")
    return content


def _config(merged: Mapping[str, Any], entry: Mapping[str, Any], where: str) -> ClientConfig:
    cluster = merged["clusters"].get(entry.get("cluster", ""))
    if cluster is None or not cluster.get("server"):
        raise ConfigError(f"{where}: names cluster {entry.get('cluster')!r}, which has no server")
    user = merged["users"].get(entry.get("user", ""), {})
    if "exec" in user or "auth-provider" in user:
        raise ConfigError(
            f"{where}: user {entry.get('user')!r} logs in through a plug-in, which is not "
            "supported; give a client certificate or a token"
        )
    token_file = user.get("tokenFile")
    return ClientConfig(
        server=cluster["server"].rstrip("/"),
        ca=_pem(cluster, "certificate-authority", where),
        cert=_pem(user, "client-certificate", where),
        key=_pem(user, "client-key", where),
        token=user.get("token", ""),
        token_file=user["_folder"] / token_file if token_file else None,
        namespace=entry.get("namespace") or "default",
        verify=not cluster.get("insecure-skip-tls-verify", False),
        server_name=cluster.get("tls-server-name", ""),
    )


def _pem(entry: Mapping[str, Any], field: str, where: str) -> bytes | Path | None:
    if data := entry.get(f"{field}-data"):
        try:
            return base64.b64decode(data, validate=True)
        except ValueError as error:
            raise ConfigError(f"{where}: {field}-data is no base64: {error}") from error
    if name := entry.get(field):
        path: Path = entry["_folder"] / name
        if not path.exists():
            raise ConfigError(f"{where}: {field} names {path}, which does not exist")
        return path
    return None


def _load_pair(context: ssl.SSLContext, cert: bytes | Path, key: bytes | Path) -> None:
    if isinstance(cert, Path) and isinstance(key, Path):
        context.load_cert_chain(cert, key)
        return
    # Python's ssl reads certificates from files only: an anonymous one keeps the key off disks.
    descriptor = os.memfd_create("client-certificate")
    try:
        for part in (cert, key):
            os.write(descriptor, part.read_bytes() if isinstance(part, Path) else part)
            os.write(descriptor, b"\n")
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
