"""Client certificates at the other end: for servers that the API server calls.

The kubelet and the tap answer only who shows a certificate of the cluster's CA
and belongs to `ALLOWED_GROUP`: whoever may speak to them is root in every Pod.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ALLOWED_GROUP = "system:masters"


def server_tls(cert_file: Path, key_file: Path, client_ca_file: Path) -> ssl.SSLContext:
    """TLS that demands a client certificate of the cluster's CA."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(client_ca_file))
    context.load_cert_chain(str(cert_file), str(key_file))
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["http/1.1"])
    return context


def is_allowed(certificate: Mapping[str, Any]) -> bool:
    """Whether a peer certificate, as `ssl.SSLSocket.getpeercert` returns it, is of the group.

    A group is an O of the subject (Kubernetes documentation, "Authenticating", X.509).
    """
    return any(
        attribute == "organizationName" and value == ALLOWED_GROUP
        for relative_name in certificate.get("subject", ())
        for attribute, value in relative_name
    )
