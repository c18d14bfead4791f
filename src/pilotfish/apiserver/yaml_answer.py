"""JSON as YAML, for clients that accept YAML alone.

Written line by line, so that other requests are answered in between; PyYAML's writers take
seconds for a megabyte. A scalar that some YAML does not read as text is quoted as in JSON, which
YAML contains.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from pilotfish.apiserver.yaml_scalars import plain_scalar

# So many lines are written at a time; a few milliseconds.
_AT_ONCE: Final = 2000
_PLAIN: Final = re.compile("[A-Za-z_][A-Za-z0-9_./-]*")
# Characters that YAML does not print, and JSON does.
_UNPRINTED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


async def json_to_yaml(body: bytes) -> bytes:
    """The YAML of a JSON document; lets other tasks run every few milliseconds."""
    lines: list[str] = []
    for line in _lines(orjson.loads(body), ""):
        lines.append(line)
        if len(lines) % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(value: Any, indent: str) -> Iterator[str]:
    """The lines of a value, as a document or at the indentation of what holds it."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            name = f"{indent}{_scalar(key)}:"
            if isinstance(item, dict | list) and item:
                yield name
                # A list stands as far to the left as its name, as Kubernetes writes it.
                yield from _lines(item, indent if isinstance(item, list) else f"{indent}  ")
            else:
                yield f"{name} {_scalar(item)}"
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = _lines(item, f"{indent}  ")
            yield f"{indent}- {first[len(indent) + 2 :]}"
            yield from rest
    else:
        yield f"{indent}{_scalar(value)}"


def _scalar(value: Any) -> str:
    """A scalar, or an empty object or list, on one line."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and plain_scalar(value) == value:
            return value
        quoted = orjson.dumps(value).decode()
        return _UNPRINTED.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)
    text = orjson.dumps(value).decode()
    if isinstance(value, float) and "." not in text:
        return text.replace("e", ".0e")  # YAML 1.1 wants the point
    return text
