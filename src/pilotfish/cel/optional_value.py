"""A value that may not be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pilotfish.cel.values import TypeName

OPTIONAL_NAME = "optional_type"


@dataclass(frozen=True, slots=True)
class Optional:
    """A value, or none."""

    cel_type: ClassVar = TypeName(OPTIONAL_NAME)

    value: Any = None
    is_set: bool = False


NONE = Optional()
