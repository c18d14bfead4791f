"""A probe's or hook's port, given as a number or as the name of a container port."""

from __future__ import annotations

from pilotfish.objects.meta import Object
from pilotfish.objects.numbers import whole_number


def resolve_port(container: Object, port: object) -> int:
    """Raises ValueError for a name that the container does not have."""
    if isinstance(port, int):
        return port
    text = str(port)
    for entry in container.get("ports") or []:
        if entry.get("name") == text:
            return int(entry["containerPort"])
    number = whole_number(text)
    if number is not None:
        return number
    raise ValueError(f"couldn't find port: {text} in container {container['name']}")
