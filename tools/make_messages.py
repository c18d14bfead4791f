"""Make web/src/messages.ts of pilotfish/dashboard/messages.py: one source for both sides' types.

python tools/make_messages.py           write it
python tools/make_messages.py --check   say whether it is stale (exit code 1)
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import (
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pilotfish.dashboard import messages

TARGET = Path(__file__).parent.parent / "web" / "src" / "messages.ts"
_HEAD = """\
// Made by tools/make_messages.py of src/pilotfish/dashboard/messages.py: do not edit.
"""
_PLAIN: dict[Any, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    object: "unknown",
    type(None): "null",
}


def main() -> int:
    """Write the file, or compare it."""
    text = typescript()
    if "--check" not in sys.argv:
        TARGET.write_text(text)
        return 0
    if TARGET.read_text() == text:
        return 0
    print(f"{TARGET.name} is stale: run python tools/make_messages.py", file=sys.stderr)
    return 1


def typescript() -> str:
    """All types of the messages, in TypeScript."""
    parts = [_HEAD]
    for name, value in vars(messages).items():
        if is_typeddict(value):
            parts.append(_interface(name, value))
        elif get_origin(value) in (Literal, Union, types.UnionType):
            parts.append(f"export type {name} = {_type(value)};\n")
    return "\n".join(parts)


def _interface(name: str, shape: type) -> str:
    lines = [_comment(shape.__doc__ or ""), f"export interface {name} {{"]
    for key, hint in get_type_hints(shape, include_extras=True).items():
        optional = get_origin(hint) is NotRequired
        if optional:
            (hint,) = get_args(hint)
        lines.append(f"  {key}{'?' if optional else ''}: {_type(hint)};")
    return "\n".join([*lines, "}\n"])


def _comment(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) == 1:
        return f"/** {lines[0]} */"
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])


def _type(hint: Any) -> str:
    """A type hint in TypeScript. TypeError for what has no place in messages."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_typeddict(hint):
        return str(hint.__name__)
    arguments = get_args(hint)
    match get_origin(hint):
        case origin if origin is Literal:
            return " | ".join(f'"{value}"' for value in arguments)
        case origin if origin in (Union, types.UnionType):
            return " | ".join(_type(each) for each in arguments)
        case origin if origin is list:
            inner = _type(arguments[0])
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        case origin if origin is dict:
            return f"Record<string, {_type(arguments[1])}>"
    raise TypeError(f"messages have no place for {hint!r}")


if __name__ == "__main__":
    sys.exit(main())
