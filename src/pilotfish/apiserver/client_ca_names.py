"""The names of client CAs in a server's TLS CertificateRequest (RFC 8446, 4.2.4 and 4.3.2).

Browsers and curl on some systems choose among several client certificates by them. Python's ssl
cannot set them, so OpenSSL is called on the context below it. CPython keeps the SSL_CTX as the
first field of its context objects (Modules/_ssl.c, PySSLContext). An interpreter of another kind,
or one that hides its OpenSSL, goes without: clients then choose for themselves.
"""

from __future__ import annotations

import _ssl
import ctypes
import logging
import os
import ssl
import sys
from pathlib import Path

log = logging.getLogger(__name__)

_OBJECT_HEAD = object.__basicsize__


def name_client_cas(context: ssl.SSLContext, ca_file: Path) -> None:
    """Let a server context name the CAs in a file when it asks for a certificate."""
    if sys.implementation.name != "cpython":
        return
    openssl = ctypes.CDLL(getattr(_ssl, "__file__", None))
    try:
        load, assign = openssl.SSL_load_client_CA_file, openssl.SSL_CTX_set_client_CA_list
    except AttributeError:
        log.info("this Python hides its OpenSSL: clients are not told which CAs are trusted")
        return
    load.restype, load.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    assign.restype, assign.argtypes = None, [ctypes.c_void_p, ctypes.c_void_p]
    names = load(os.fsencode(ca_file))
    if names:
        # The context takes the list over, and frees it in the end.
        assign(ctypes.c_void_p.from_address(id(context) + _OBJECT_HEAD).value, names)
