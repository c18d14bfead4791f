"""axe-core finds no fault on any page of the dashboard, in any state, size and colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support import axe
from support.browser import chromium
from support.proxy import Proxy, proxying
from support.shell import Shell
from support.visitor import PHONE, WIDE, Visitor, visiting

PERSON = "GET /demo/person"


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


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"], scope="module")
def visitor(
    request: pytest.FixtureRequest, browser: Browser, proxy: Proxy, application: Shell
) -> Iterator[Visitor]:
    with visiting(browser, proxy, size=request.param, reduced_motion="reduce") as made:
        url = f"http://{application.cluster_ip('go-demo-2-api')}:8080"
        application.curl(f"{url}/nothing")
        application.curl(f"{url}/demo/person?name=Viktor")
        made.cells(PERSON)
        yield made


# --- states of the pages ---------------------------------------------------------------------


def rows(visitor: Visitor) -> None:
    visitor.open("/traffic?since=5m")
    visitor.cells(PERSON)


def details(visitor: Visitor, tab: str) -> None:
    rows(visitor)
    visitor.row(PERSON).click()
    visitor.details.get_by_role("tab", name=tab).click()
    expect(visitor.details.get_by_role("tabpanel", name=tab)).to_be_visible()


def completions(visitor: Visitor) -> None:
    rows(visitor)
    visitor.page.get_by_role("combobox", name="Filter").press_sequentially("st")
    expect(visitor.page.locator("#filter-choices [role=option]").first).to_be_visible()
    visitor.page.keyboard.press("ArrowDown")


def filter_problem(visitor: Visitor) -> None:
    rows(visitor)
    visitor.write_filter("http && stauts_code >= 500")
    expect(visitor.page.get_by_role("alert")).not_to_be_empty()


def filter_menu(visitor: Visitor) -> None:
    rows(visitor)
    visitor.row(PERSON).click()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#rows")).to_be_focused()
    visitor.page.keyboard.press("f")
    expect(visitor.page.get_by_role("menu")).to_be_visible()


def help_open(visitor: Visitor) -> None:
    rows(visitor)
    visitor.page.keyboard.press("?")
    expect(visitor.page.get_by_role("dialog")).to_be_visible()


def downloads(visitor: Visitor) -> None:
    rows(visitor)
    visitor.page.locator("summary", has_text="Download").click()


def paused(visitor: Visitor) -> None:
    rows(visitor)
    visitor.page.get_by_role("button", name="Pause").click()
    expect(visitor.page.get_by_role("button", name="Resume")).to_be_visible()


def exact_range(visitor: Visitor) -> None:
    visitor.open("/traffic?since=2026-01-01T00:00:00Z&until=2026-01-01T01:00:00Z")
    expect(visitor.page.get_by_role("heading", name="Nothing in this time range")).to_be_visible()


def nothing_yet(visitor: Visitor) -> None:
    visitor.open("/traffic?filter=false")
    expect(visitor.page.get_by_role("heading", name="Nothing matches")).to_be_visible()


def services(visitor: Visitor) -> None:
    visitor.open("/services")
    expect(visitor.page.locator(".service-list tbody tr").first).to_be_visible()


def no_service(visitor: Visitor) -> None:
    visitor.open("/services?search=nothing&name=default/nothing")
    expect(visitor.page.get_by_text("There is no such Service")).to_be_visible()


def service(visitor: Visitor) -> None:
    visitor.open("/services?name=default/go-demo-2-api")
    expect(visitor.page.locator(".slots").first).to_be_visible()
    visitor.page.locator(".chart-table summary").click()


def map_picture(visitor: Visitor) -> None:
    visitor.open("/map?as=picture&system=1")
    expect(visitor.page.locator(".map-node").first).to_be_visible()


def map_list(visitor: Visitor) -> None:
    visitor.open("/map?as=list&system=1")
    expect(visitor.page.locator(".map-list tbody tr").first).to_be_visible()


def nobody(visitor: Visitor) -> None:
    visitor.open("/map?namespace=nowhere")
    expect(visitor.page.get_by_text(re.compile("^Nobody in nowhere"))).to_be_visible()


STATES: dict[str, Callable[[Visitor], None]] = {
    "traffic": rows,
    "overview": lambda visitor: details(visitor, "Overview"),
    "request": lambda visitor: details(visitor, "Request"),
    "response": lambda visitor: details(visitor, "Response"),
    "json": lambda visitor: details(visitor, "JSON"),
    "completions": completions,
    "filter problem": filter_problem,
    "filter menu": filter_menu,
    "keys": help_open,
    "downloads": downloads,
    "paused": paused,
    "range without rows": exact_range,
    "filter without rows": nothing_yet,
    "services": services,
    "service": service,
    "no such service": no_service,
    "map": map_picture,
    "map as list": map_list,
    "empty map": nobody,
}


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_fault(visitor: Visitor, state: str) -> None:
    STATES[state](visitor)
    assert axe.faults(visitor.page) == []


def test_axe_finds_no_fault_while_the_proxy_is_away_and_for_strangers(
    browser: Browser, application: Shell, tmp_path: Path
) -> None:
    with (
        proxying(application, tmp_path, "--no-browser") as going,
        visiting(browser, going, reduced_motion="reduce") as made,
    ):
        stranger = browser.new_context()
        page = stranger.new_page()
        page.goto(going.url)
        assert axe.faults(page) == []
        stranger.close()
        expect(made.page.get_by_role("region", name="Requests")).not_to_contain_text("Connecting")
        going.process.kill()
        expect(made.banner).to_contain_text("The connection to pilotfish proxy is lost")
        assert axe.faults(made.page) == []
