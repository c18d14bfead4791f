"""imagePullPolicy against the image store: which image a container gets, or why it gets none.

Pulling from registries comes later; until then an image that is not in the store cannot be
pulled, and the message names the mend.
"""

from __future__ import annotations

from pilotfish.node.errors import ImageError
from pilotfish.node.images.reference import InvalidReference, default_pull_policy
from pilotfish.node.images.store import Image, ImageStore
from pilotfish.objects.meta import Object


def find_image(store: ImageStore, container: Object) -> Image:
    """The container's image. Raises ImageError with the reason of the waiting state."""
    name = str(container.get("image") or "")
    try:
        image = store.resolve(name)
        policy = container.get("imagePullPolicy") or default_pull_policy(name)
    except InvalidReference as error:
        message = f'Failed to apply default image tag "{name}": {error}'
        raise ImageError("InvalidImageName", message) from error
    if image is not None:
        return image
    if policy == "Never":
        raise ImageError(
            "ErrImageNeverPull",
            f'Container image "{name}" is not present with pull policy of Never: load it with '
            f"`pilotfish image load FOLDER|ARCHIVE --name {name}`",
        )
    raise ImageError(
        "ErrImagePull",
        f'image "{name}" is not loaded, and Pilotfish does not pull from registries yet: run '
        f"`pilotfish image load FOLDER|ARCHIVE --name {name}`, or use image `host`, the "
        "machine's programs",
    )
