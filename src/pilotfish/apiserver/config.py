"""What an API server is started with: addresses, keys, ranges, folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ApiServerConfig:
    """Settings of one API server.

    Attributes:
        listen: (host, port) pairs to serve TLS on.
        local_socket: a Unix socket to serve on without TLS; who can open it is the controller
            manager. Controllers in the same process spare themselves a handshake per watch.
        cert_file: PEM, the server's certificate; its names cover `advertise_address`.
        key_file: PEM, the key of it.
        client_ca_file: PEM; certificates signed by it name users (CN) and groups (O).
        service_account_key_file: PEM private key (RSA or P-256) that signs ServiceAccount tokens.
        store_path: the SQLite file, unless there is a store_address.
        store_address: of etcd (`store.etcd.address`); "" for SQLite.
        service_cidr: range of ClusterIPs: "10.96.0.0/12".
        second_service_cidr: that of the other address family in a dual-stack cluster.
        node_ports: first and last NodePort, both included.
        advertise_address: where the endpoint of Service `kubernetes` leads.
        advertise_port: the port there.
        kubelet_client_cert_file: PEM that the server shows to kubelets (logs, exec, …).
        kubelet_client_key_file: PEM, the key of it.
        token_file: CSV of static tokens: `token,user,uid,"group,group"`.
        audit_log: the file that every request is written to, as JSON lines.
        service_account_issuer: `iss` of ServiceAccount tokens.
    """

    listen: tuple[tuple[str, int], ...]
    cert_file: Path
    key_file: Path
    client_ca_file: Path
    service_account_key_file: Path
    store_path: Path
    store_address: str = ""
    service_cidr: str = "10.96.0.0/12"
    second_service_cidr: str = ""
    node_ports: tuple[int, int] = (30000, 32767)
    advertise_address: str = "127.0.0.1"
    advertise_port: int = 6443
    kubelet_client_cert_file: Path | None = None
    kubelet_client_key_file: Path | None = None
    local_socket: Path | None = None
    token_file: Path | None = None
    audit_log: Path | None = None
    service_account_issuer: str = "https://kubernetes.default.svc.cluster.local"
