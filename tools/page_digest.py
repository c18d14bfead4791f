"""Which page the pictures in docs/pictures show: a digest of its sources.

page_digest.py    says whether the page is still that one
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
_PAGE = ROOT / "web"


def note() -> str:
    """What docs/pictures/made-of.txt says when its pictures show the page as it is."""
    made = hashlib.sha256()
    sources = [_PAGE / "index.html", *(_PAGE / "src").rglob("*")]
    for path in sorted(path for path in sources if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        made.update(f"{path.relative_to(_PAGE).as_posix()} {content}\n".encode())
    return f"{made.hexdigest()}  web/index.html and web/src, when make pictures ran\n"


def main() -> int:
    """Compare; returns the exit code."""
    if (PICTURES / "made-of.txt").read_text() == note():
        return 0
    print("error: docs/pictures shows another page; web/src has changed; run: make pictures")
    return 1


if __name__ == "__main__":
    sys.exit(main())
