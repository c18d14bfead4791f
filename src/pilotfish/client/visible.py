"""Untrusted text as text: nothing that it says can act on a terminal, or begin a line of a log.

Control characters move cursors, change titles, even answer questions (ECMA-48, xterm's control
sequences), and bidirectional ones turn lines around (Unicode UAX #9): all of them are shown as what
they are.
"""

from __future__ import annotations

import re

# DEL and C1 controls; line and paragraph separators; bidirectional formatting; what has no width;
# surrogates that no encoding takes; tags.
UNSEEN = (
    "\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f"
)
_UNSAFE = re.compile(f"[\x00-\x1f{UNSEEN}]")
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\x1b": "\\e"}


def escape(text: str) -> str:
    """One line of text in which every character shows itself."""
    return _UNSAFE.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    known = _SHORT.get(character)
    if known:
        return known
    code = ord(character)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
