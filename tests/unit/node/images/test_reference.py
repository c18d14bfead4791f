"""Image names and their normal form."""

from __future__ import annotations

import pytest

from pilotfish.node.images.reference import (
    InvalidReference,
    default_pull_policy,
    is_host,
    normalize,
)

_HEX = "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("user/app", "docker.io/user/app:latest"),
        ("index.docker.io/library/nginx", "docker.io/library/nginx:latest"),
        ("localhost/app:1", "localhost/app:1"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b:1"),
        ("registry.k8s.io/pause", "registry.k8s.io/pause:latest"),
        (f"nginx:1@sha256:{_HEX}", f"docker.io/library/nginx@sha256:{_HEX}"),
    ],
)
def test_short_names_mean_docker_hub(text: str, expected: str) -> None:
    assert normalize(text) == expected


@pytest.mark.parametrize("text", ["", "Foo", "a:b:c", "a b", "-x", "a@sha256:zz", "a:", "a//b"])
def test_what_is_no_image_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        normalize(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host", True),
        ("host:12", True),
        ("docker.io/library/host:x", True),
        ("docker.io/host/host", False),
        ("localhost/host", False),
    ],
)
def test_the_machine_is_image_host_with_any_tag(text: str, expected: bool) -> None:
    assert is_host(text) is expected


def test_the_pull_policy_follows_the_tag() -> None:
    assert default_pull_policy("nginx") == "Always"
    assert default_pull_policy("nginx:latest") == "Always"
    assert default_pull_policy("nginx:1") == "IfNotPresent"
    assert default_pull_policy(f"nginx@sha256:{_HEX}") == "IfNotPresent"
