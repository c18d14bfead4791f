"""Names of images, and their one normal form.

`nginx` means `docker.io/library/nginx:latest`, as everywhere in Kubernetes.
"""

from __future__ import annotations

import re

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"^{_COMPONENT}(?:/{_COMPONENT})*$")
_DOMAIN = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?$")
_TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
_DIGEST = re.compile(r"^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$")

_HOST_REPOSITORY = "docker.io/library/host"


class InvalidReference(ValueError):
    """The text is no image name (the waiting reason is InvalidImageName)."""


def _split(text: str) -> tuple[str, str, str]:
    """Repository with its domain, tag ("" if none), digest ("" if none)."""
    rest, _, digest = text.partition("@")
    if digest and not _DIGEST.match(digest):
        raise InvalidReference(f'couldn\'t parse image name "{text}": invalid reference format')
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, tag = rest, ""
    elif not tag:
        raise InvalidReference(f'couldn\'t parse image name "{text}": invalid reference format')
    first, slash, remainder = head.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        domain, path = first, remainder
    else:
        domain, path = "docker.io", head
    if domain in ("docker.io", "index.docker.io"):
        domain = "docker.io"
        if "/" not in path:
            path = f"library/{path}"
    if not _REPOSITORY.match(path) or not _DOMAIN.match(domain) or (tag and not _TAG.match(tag)):
        raise InvalidReference(f'couldn\'t parse image name "{text}": invalid reference format')
    return f"{domain}/{path}", tag, digest


def normalize(text: str) -> str:
    """DOMAIN/PATH:TAG, or DOMAIN/PATH@DIGEST when a digest is given.

    Raises InvalidReference.
    """
    repository, tag, digest = _split(text)
    if digest:
        return f"{repository}@{digest}"
    return f"{repository}:{tag or 'latest'}"


def is_host(text: str) -> bool:
    """Whether the reference means the machine's own file system: repository `host`, any tag."""
    return _split(text)[0] == _HOST_REPOSITORY


def default_pull_policy(text: str) -> str:
    """What imagePullPolicy is when it is not given: Always for :latest, else IfNotPresent."""
    _repository, tag, digest = _split(text)
    return "Always" if not digest and tag in ("", "latest") else "IfNotPresent"
