"""imagePullPolicy against the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotfish.node.errors import ImageError
from pilotfish.node.image_pull import find_image
from pilotfish.node.images.store import ImageStore


@pytest.mark.parametrize(
    ("image", "policy", "reason", "message"),
    [
        ("nginx", None, "ErrImagePull", "pilotfish image load FOLDER|ARCHIVE --name nginx"),
        ("nginx:1", "IfNotPresent", "ErrImagePull", "does not pull from registries yet"),
        ("nginx", "Never", "ErrImageNeverPull", "is not present with pull policy of Never"),
        ("Not An Image", None, "InvalidImageName", "invalid reference format"),
    ],
)
def test_a_missing_image_says_why_and_how_to_mend_it(
    image: str, policy: str | None, reason: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ImageError) as caught:
        find_image(ImageStore(tmp_path), {"image": image, "imagePullPolicy": policy})
    assert caught.value.reason == reason
    assert message in str(caught.value)


def test_image_host_is_there_whatever_the_policy(tmp_path: Path) -> None:
    for policy in ("Always", "IfNotPresent", "Never"):
        image = find_image(ImageStore(tmp_path), {"image": "host:1", "imagePullPolicy": policy})
        assert image.is_host
