"""What strangers put into their packets is text on the dashboard, whatever it says."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from support.application import API_LABELS
from support.browser import chromium
from support.proxy import Proxy, proxying
from support.shell import Shell
from support.visitor import Visitor, visiting

# Where any of them became HTML there would be an element with this id, or a dialog.
HTML = "<img id=pwned src=x onerror=alert(1)><script id=pwned>alert(2)</script>"
# Overrides the direction of what follows (U+202E); a Cyrillic letter; beyond the BMP; a control.
ODD = "gnp.\u202eexe раураl \U0001f41f \x07\x1b[31mred"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the session: tests of other files need an event loop of their own.
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def proxy(application: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxying(application, tmp_path_factory.mktemp("proxy"), "--no-browser") as running:
        running.until_seen(nodes=2)
        yield running


@pytest.fixture
def visitor(browser: Browser, proxy: Proxy) -> Iterator[Visitor]:
    with visiting(browser, proxy) as made:
        yield made
        # `visiting` looks for dialogs, errors, and what the CSP had to refuse.
        expect(made.page.locator("#pwned")).to_have_count(0)


def read_everything(visitor: Visitor) -> str:
    """Each tab of the details: all that is shown."""
    said = []
    for tab in ("Overview", "Request", "Response", "JSON"):
        visitor.details.get_by_role("tab", name=tab).click()
        said.append(visitor.details.inner_text())
        expect(visitor.page.locator("#pwned")).to_have_count(0)
    return "\n".join(said)


@pytest.mark.parametrize("body", [HTML, f'{{"{ODD}": ["{HTML}"]}}'.replace("\x07\x1b", "")])
def test_html_in_path_headers_and_bodies_is_shown_as_it_was_sent(
    visitor: Visitor, application: Shell, body: str
) -> None:
    url = f"http://{application.cluster_ip('go-demo-2-api')}:8080"
    kind = "application/json" if body.startswith("{") else "text/html"
    headers = ["-H", f"X-Evil: {HTML}", "-H", f"Content-Type: {kind}"]
    path = f"/{HTML.replace(' ', '+')}"
    # curl --globoff sends it as it is, and the API puts it into its answer.
    application.curl(f"{url}{path}", "--globoff", "--path-as-is", *headers, "-X", "GET", "-d", body)
    visitor.row("/<img").click()
    said = read_everything(visitor)
    assert path in said
    assert HTML in said
    assert f"has no {path}" in said


def test_odd_characters_neither_turn_the_line_around_nor_break_it(
    visitor: Visitor, application: Shell
) -> None:
    url = f"http://{application.cluster_ip('go-demo-2-api')}:8080"
    application.curl(f"{url}/odd/{quote(ODD)}?{quote(ODD)}", "-H", f"X-Odd: {ODD[:-5]}")
    row = visitor.row("/odd/")
    row.click()
    read_everything(visitor)
    # Cells are isolated from each other: the ones behind it stand where they stand in each row.
    above = row.locator(".status").bounding_box()
    application.curl(f"{url}/plain")
    beside = visitor.row("/plain").locator(".status").bounding_box()
    assert above is not None and beside is not None and above["x"] == beside["x"]


def test_a_name_that_is_looked_up_is_text_too(visitor: Visitor, application: Shell) -> None:
    pod = application.pods(API_LABELS)[0]["metadata"]["name"]
    name = "<b/id=pwned>x</b>.example"
    application.run("kubectl", "exec", pod, "--", "python3", "/programs/lookup.py", name)
    expect(visitor.row("pwned")).to_contain_text("A <b/id=pwned>x</b>.example")


def test_a_link_with_html_in_it_shows_it_and_does_nothing(browser: Browser, proxy: Proxy) -> None:
    evil = quote(f'"{HTML}"')
    for path in (
        f"/traffic?filter={evil}",
        f"/traffic?since={evil}&until={evil}",
        f"/traffic?entry={evil}",
        f"/services?name={evil}&search={evil}&namespace={evil}",
        f"/map?namespace={evil}&as={evil}",
    ):
        with visiting(browser, proxy, path=path) as made:
            expect(made.page.get_by_role("navigation", name="Pages")).to_be_visible()
            expect(made.page.locator("main")).not_to_be_empty()
            expect(made.page.locator("#pwned")).to_have_count(0)
