"""Text for a terminal: nothing that a packet said can act on it.

Control characters move cursors, change titles, even answer questions (ECMA-48,
xterm's control sequences), and bidirectional ones turn lines around (Unicode
UAX #9): all of them are shown as what they are.
"""

from __future__ import annotations

import re

# C0 and C1 controls, DEL; line and paragraph separators; bidirectional formatting;
# zero-width characters; surrogates that no encoding takes.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\x1b": "\\e"}

COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36, "dim": 2}


def escape(text: str) -> str:
    """One line of text in which every character shows itself."""
    return _UNSAFE.sub(_shown, text)


def escape_block(text: str) -> str:
    """The same for several lines: line ends and tabs stay."""
    return "\n".join(
        "\t".join(escape(cell) for cell in line.split("\t")) for line in text.splitlines()
    )


def paint(text: str, colour: str, colours: bool) -> str:
    """Escaped text in a colour of `COLOURS`, if there are to be colours."""
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if colours and text else text


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    known = _SHORT.get(character)
    if known:
        return known
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
