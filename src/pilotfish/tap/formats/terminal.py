"""Blocks, JSON and colours for a terminal; `client.visible` says what is escaped, and why."""

from __future__ import annotations

import re

from pilotfish.client.visible import UNSEEN, escape

_UNSAFE_IN_JSON = re.compile(f"[{UNSEEN}]")

COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36, "dim": 2}


def escape_block(text: str) -> str:
    """`escape` for several lines: line ends and tabs stay."""
    return "\n".join(
        "\t".join(escape(cell) for cell in line.split("\t")) for line in text.splitlines()
    )


def escape_json(document: bytes) -> bytes:
    """A JSON document that means the same, and in which every character shows itself.

    Such characters can only be within its strings, where JSON has escapes (RFC 8259, section 7).
    """
    if document.isascii() and b"\x7f" not in document:
        return document
    return _UNSAFE_IN_JSON.sub(_as_json, document.decode()).encode()


def paint(text: str, colour: str, colours: bool) -> str:
    """Escaped text in a colour of `COLOURS`, if there are to be colours."""
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if colours and text else text


def _as_json(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
