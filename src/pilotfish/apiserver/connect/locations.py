"""URLs of a proxied server, as the client of the proxy has to see them.

Source: the rules of k8s.io/apimachinery's proxy transport.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def target_path(raw_path: str, namespaced: bool) -> str:
    """What the backend is asked for: all that follows `proxy`, encoded as the client sent it.

    "" when nothing follows, not even a slash.
    """
    # /api/v1/namespaces/NAMESPACE/RESOURCE/NAME/proxy/… or /api/v1/RESOURCE/NAME/proxy/…
    segments = raw_path.split("/")
    rest = segments[8 if namespaced else 6 :]
    return "/" + "/".join(rest) if rest else ""


def proxy_prefix(raw_path: str, namespaced: bool) -> str:
    """The other part: `/api/v1/…/proxy`."""
    return "/".join(raw_path.split("/")[: 8 if namespaced else 6])


def rewrite_location(location: str, prefix: str, backend_host: str, client_host: str) -> str:
    """A Location header that leads back through the proxy.

    Absolute paths on the backend (or on the host that the client asked) get the prefix;
    relative ones and other hosts stay as they are.
    """
    url = urlsplit(location)
    elsewhere = url.netloc not in ("", backend_host, client_host)
    if elsewhere or not url.path.startswith("/"):
        return location
    path = url.path if url.path.startswith(prefix) else prefix + url.path
    return urlunsplit(("", "", path, url.query, url.fragment))
