"""The pictures of the dashboard in docs: they show the page as it is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PICTURES = ROOT / "docs" / "pictures"


def test_the_pictures_were_made_of_the_page_as_it_is() -> None:
    command = [sys.executable, str(ROOT / "tools" / "page_digest.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout  # run: make pictures


def test_every_picture_that_is_shown_is_there_and_is_described() -> None:
    for page in (ROOT / "README.md", ROOT / "docs" / "how-to" / "dashboard.md"):
        text = page.read_text()
        shown = re.findall(r'src(?:set)?="([^"]+\.png)"', text)
        assert len(shown) >= 2
        for path in shown:
            assert (page.parent / path).is_file(), f"{page.name}: {path}"
        assert text.count("<img alt=") == text.count("<img ")
