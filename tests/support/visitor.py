"""A person who looks at the dashboard: a page in Chromium, opened with the link of the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, expect

from support.proxy import Proxy
from support.shell import eventually

# The machine may be busy; what holds at once is not waited for.
TIMEOUT_MS = 20_000
WIDE = (1280, 800)
PHONE = (360, 740)

expect.set_options(timeout=TIMEOUT_MS)

_CELLS = """lines => lines.map(line => Object.fromEntries(
    [...line.children].map(cell => [cell.className.split(" ")[0], cell.textContent.trim()])))"""
# Above the list there may be its newest rows alone: only what is seen is in the document.
_ROWS = "#rows [data-number]"


class Visitor:
    """A page, and how a person reads and uses it.

    Attributes:
        page: Playwright's.
        faults: what a page must never do: errors nobody caught, dialogs, what the CSP refused.
    """

    def __init__(self, page: Page, proxy: Proxy) -> None:
        self.page = page
        self.faults: list[str] = []
        self._proxy = proxy
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("dialog", self._dialog)
        page.on("console", self._console)

    def enter(self, path: str = "/traffic") -> None:
        """Come in by the link that the terminal printed last."""
        link = self._proxy.link()
        # An element with `page` in the address, as a link that somebody sent has it.
        joiner = "&" if "?" in path else "?"
        token = link.partition("?")[2]
        self.page.goto(f"{self._proxy.url}{path}{joiner}{token}")
        eventually(lambda: self._proxy.link() != link, "the terminal prints another link")
        assert "token" not in self.page.url

    def open(self, path: str) -> None:
        """Go to an address as one that is known already."""
        self.page.goto(f"{self._proxy.url}{path}")

    # --- the traffic -----------------------------------------------------------------------

    def row(self, text: str | re.Pattern[str]) -> Locator:
        """The newest row with a text."""
        return self.page.locator(_ROWS, has_text=text).last

    def rows(self, text: str = "") -> list[dict[str, str]]:
        """The rows that are seen: cells by column."""
        found: list[dict[str, str]] = self.page.eval_on_selector_all(_ROWS, _CELLS)
        return [row for row in found if text in " ".join(row.values())]

    def cells(self, text: str) -> dict[str, str]:
        """The newest row with a text, as soon as it is there: cells by column."""
        expect(self.row(text)).to_be_visible()
        return self.rows(text)[-1]

    def until_all(self, column: str, text: str) -> None:
        """Wait until there are rows, and all that are seen have this in a column."""
        eventually(
            lambda: {row[column] for row in self.rows()} == {text},
            f"only rows with {column} {text}",
        )

    def filter(self, text: str) -> None:
        """Show what matches."""
        self.write_filter(text)
        expect(self.page).to_have_url(re.compile(f"filter={re.escape(quote_plus(text, safe='*'))}"))

    def write_filter(self, text: str) -> None:
        """Write a filter and press Enter."""
        field = self.page.get_by_role("combobox", name="Filter")
        field.fill(text)
        field.press("Enter")

    @property
    def details(self) -> Locator:
        return self.page.get_by_role("region", name="Details")

    @property
    def banner(self) -> Locator:
        return self.page.locator(".banner")

    def focused(self) -> str:
        """The id of what has the focus, or its text."""
        found: str = self.page.evaluate(
            "() => document.activeElement.id || document.activeElement.textContent"
        )
        return found

    def overflow_px(self) -> int:
        """By how much the page is wider than its window."""
        found: int = self.page.evaluate(
            "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
        )
        return found

    # --- what must not be ------------------------------------------------------------------

    def _dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(message.text)


@contextmanager
def visiting(
    browser: Browser,
    proxy: Proxy,
    path: str = "/traffic",
    size: tuple[int, int] = WIDE,
    **context: Any,
) -> Iterator[Visitor]:
    """Look at the dashboard, as somebody new, for as long as the block lasts."""
    width, height = size
    made = browser.new_context(
        viewport={"width": width, "height": height}, accept_downloads=True, **context
    )
    # What a person allows with a click.
    made.grant_permissions(["clipboard-read", "clipboard-write"], origin=proxy.url)
    try:
        visitor = Visitor(made.new_page(), proxy)
        visitor.enter(path)
        yield visitor
        assert visitor.faults == []
    finally:
        made.close()
