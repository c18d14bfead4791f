"""Who a container runs as."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.node.errors import ContainerConfigError
from pilotfish.node.oci.user import User, container_user

PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n"
GROUP = "root:x:0:\nstaff:x:50:app,other\napp:x:1001:\n"


def user(
    image_user: str = "",
    pod: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
) -> User:
    owner = {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u"},
        "spec": {"securityContext": pod or {}},
    }
    one = {"name": "c", "securityContext": container or {}}
    return container_user(owner, one, image_user, PASSWD, GROUP)


@pytest.mark.parametrize(
    ("image_user", "expected"),
    [
        ("", User(0, 0, (), "/root")),
        ("app", User(1000, 1001, (50,), "/home/app")),
        ("1000", User(1000, 1001, (50,), "/home/app")),
        ("app:staff", User(1000, 50, (), "/home/app")),
        ("7:8", User(7, 8, (), "/")),
    ],
)
def test_the_images_user_is_looked_up_in_the_image(image_user: str, expected: User) -> None:
    assert user(image_user) == expected


def test_the_containers_context_wins_over_the_pods_and_both_over_the_image() -> None:
    found = user("app", {"runAsUser": 5, "runAsGroup": 6, "fsGroup": 9}, {"runAsUser": 7})
    assert (found.uid, found.gid, found.groups) == (7, 6, (9,))


def test_supplemental_groups_are_added() -> None:
    assert user("app", {"supplementalGroups": [70], "fsGroup": 9}).groups == (9, 50, 70)


@pytest.mark.parametrize("name", ["nobody-here", "app:no-group"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(ContainerConfigError, match="unable to find"):
        user(name)


def test_root_is_refused_where_it_is_forbidden() -> None:
    with pytest.raises(ContainerConfigError, match="image will run as root"):
        user("", {"runAsNonRoot": True})
    with pytest.raises(ContainerConfigError, match="runAsUser breaks non-root policy"):
        user("app", {"runAsNonRoot": True}, {"runAsUser": 0})
    assert user("app", {"runAsNonRoot": True}).uid == 1000
