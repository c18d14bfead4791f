"""axe-core, which finds faults of accessibility in a page as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_SCRIPT = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Colours are all that the system's setting changes.
_OF_COLOURS = ["color-contrast", "link-in-text-block"]
_RUN = """async runOnly => {
    const {violations} = await axe.run(document, {runOnly, resultTypes: ["violations"]});
    return violations;
}"""


def faults(page: Page) -> list[str]:
    """What axe-core finds in light and dark, a line for each element."""
    if not page.evaluate("() => 'axe' in window"):
        # By the debugger, as the page's CSP lets no script in.
        page.evaluate(_SCRIPT.read_text())
    page.emulate_media(color_scheme="dark")
    dark = _lines("dark", page.evaluate(_RUN, {"type": "rule", "values": _OF_COLOURS}))
    page.emulate_media(color_scheme="light")
    return dark + _lines("light", page.evaluate(_RUN, {"type": "tag", "values": _TAGS}))


def _lines(scheme: str, violations: list[dict[str, Any]]) -> list[str]:
    return [
        f"{scheme}: {each['id']} ({each['help']}): {node['html'][:200]} {_why(node)}"
        for each in violations
        for node in each["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for check in [*node["any"], *node["all"], *node["none"]])
