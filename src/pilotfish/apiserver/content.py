"""Content: a request's body as the verbs read it, YAML made JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from pilotfish.apiserver.codec import YAML_TYPES, media_type, unrecognized
from pilotfish.apiserver.errors import bad_request

APPLY_PATCH: Final = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Content:
    """A body, its media type, and what only the parser of YAML can tell.

    Attributes:
        body: JSON or protobuf; as sent where that is neither.
        media_type: of the body; that of a patch stays, whatever it is written in.
        problems: what a strict reader says of keys that YAML holds twice.
    """

    body: bytes = b""
    media_type: str = ""
    problems: tuple[str, ...] = ()


async def read_content(body: bytes, content_type: str, kind: str) -> Content:
    """The content of a body.

    Args:
        kind: what is expected, for the message.

    Raises:
        StatusError: 400 for YAML that cannot be read.
    """
    encoding = media_type(content_type)
    is_patch = encoding == APPLY_PATCH
    if not body.strip() or not (encoding in YAML_TYPES or (is_patch and not _is_json(body))):
        return Content(body, encoding)
    # Only clients without JSON come here; the parser is not loaded for the others.
    from pilotfish.apiserver.yaml_body import YamlError, yaml_to_json

    try:
        converted = await yaml_to_json(body)
    except YamlError as error:
        if is_patch:
            raise bad_request(f"error decoding YAML: {error}") from error
        raise unrecognized(kind, str(error), body) from error
    problems = (converted.duplicates,) if converted.duplicates else ()
    return Content(converted.body, encoding if is_patch else "application/json", problems)


def _is_json(body: bytes) -> bool:
    """Whether a patch that may be YAML is JSON, which has a faster parser."""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True
