"""The story's row 14, the page Traffic: what was asked, who answered, and how to find it again."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.application import API_LABELS
from support.browser import chromium
from support.proxy import Proxy, proxying
from support.shell import Shell
from support.visitor import PHONE, Visitor, visiting

_numbers = itertools.count(1)


def a_path() -> str:
    """One that nobody asked for before, and that is in no other."""
    return f"/of-{next(_numbers):04}"


class Api:
    """go-demo-2-api: it says which Pod answers, whatever it is asked."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.url = f"http://{shell.cluster_ip('go-demo-2-api')}:8080"

    def ask(self, path: str = "", *options: str) -> tuple[str, str]:
        """Ask for a path that nobody asked for before: the path, and the Pod that answered."""
        path = path or a_path()
        # 404: the Pod has no such path.
        answer = self.shell.curl(f"{self.url}{path}", *options)
        return path, answer.split()[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the session: tests of other files need an event loop of their own.
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def api(application: Shell) -> Api:
    return Api(application)


@pytest.fixture(scope="module")
def proxy(application: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxying(application, tmp_path_factory.mktemp("proxy"), "--no-browser") as running:
        running.until_seen(nodes=2)
        yield running


@pytest.fixture
def visitor(browser: Browser, proxy: Proxy) -> Iterator[Visitor]:
    with visiting(browser, proxy) as made:
        yield made


@pytest.fixture
def phone(browser: Browser, proxy: Proxy) -> Iterator[Visitor]:
    with visiting(browser, proxy, size=PHONE, has_touch=True, is_mobile=True) as made:
        yield made


# --- rows ------------------------------------------------------------------------------------


def test_each_request_is_a_row_with_the_pod_that_really_answered(
    visitor: Visitor, api: Api
) -> None:
    asked = [api.ask() for _ in range(10)]
    for path, pod in asked:
        row = visitor.cells(path)
        assert (row["src"], row["dst"], row["endpoint"]) == ("host", "go-demo-2-api", pod)
        assert (row["protocol"], row["request"], row["status"]) == ("http", f"GET {path}", "404")
    assert len(visitor.rows("/of-")) >= len(asked)


def test_a_request_of_a_pod_has_its_look_up_before_it(visitor: Visitor, api: Api) -> None:
    pod = api.shell.pods(API_LABELS)[0]["metadata"]["name"]
    path = a_path()
    url = f"http://go-demo-2-api:8080{path}"
    answer = api.shell.kubectl("exec", pod, "--", "curl", "-s", url)
    row = visitor.cells(f"GET {path}")
    assert (row["src"], row["endpoint"]) == (pod, answer.split()[0])
    names = [each["request"] for each in visitor.rows()]
    assert names.index("A go-demo-2-api.default.svc.cluster.local") < names.index(f"GET {path}")


def test_probes_are_shown_to_who_wants_them(visitor: Visitor) -> None:
    page = visitor.page
    expect(page.get_by_role("heading", name="No traffic yet").or_(visitor.row(""))).to_be_visible()
    assert visitor.rows("/healthz") == []
    page.get_by_role("checkbox", name="Probes").check()
    assert visitor.cells("/healthz")["request"] == "GET /healthz"


def test_what_waits_during_a_pause_is_counted_and_comes_when_it_ends(
    visitor: Visitor, api: Api
) -> None:
    before, _ = api.ask()
    visitor.cells(before)
    visitor.page.get_by_role("button", name="Pause").click()
    meanwhile, _ = api.ask()
    resume = visitor.page.get_by_role("button", name="Resume (1 wait)")
    expect(resume).to_be_visible()
    assert visitor.rows(meanwhile) == []
    resume.click()
    visitor.cells(meanwhile)


# --- filters ---------------------------------------------------------------------------------


def test_a_filter_is_written_with_completions_and_shows_only_what_matches(
    visitor: Visitor, api: Api
) -> None:
    page = visitor.page
    api.ask("/demo/hello")
    found, _ = api.ask()
    visitor.cells(found)
    field = page.get_by_role("combobox", name="Filter")
    field.press_sequentially("status_c")
    expect(page.get_by_role("option").first).to_contain_text("status_code")
    field.press("ArrowDown")
    expect(page.locator("#filter-choices [aria-selected=true]")).to_contain_text("status_code")
    field.press("Enter")
    expect(field).to_have_value("status_code")
    field.press_sequentially(" == 404")
    field.press("Enter")
    expect(page.locator("#rows")).not_to_contain_text("/demo/hello")
    assert "filter=status_code" in page.url
    later, _ = api.ask()
    api.ask("/demo/hello")
    visitor.cells(later)
    visitor.until_all("status", "404")
    # What was asked for before is a key away.
    page.get_by_role("button", name="Remove the filter").click()
    visitor.cells("/demo/hello")
    field.press("ArrowUp")
    expect(page.get_by_role("option").first).to_contain_text("status_code == 404")


def test_a_filter_that_means_nothing_is_marked_where_it_is_wrong(
    visitor: Visitor, api: Api
) -> None:
    page = visitor.page
    path, _ = api.ask()
    visitor.cells(path)
    visitor.write_filter("http && stauts_code >= 500")
    expect(page.get_by_role("alert")).to_have_text(
        "Column 9: there is no stauts_code; did you mean status_code?"
    )
    expect(page.locator(".mirror mark")).to_have_text("stauts_code")
    # What was shown stays.
    assert visitor.rows(path) and "filter" not in page.url


def test_a_value_of_a_row_becomes_a_filter(visitor: Visitor, api: Api) -> None:
    path, pod = api.ask()
    visitor.row(path).locator(".endpoint").click(button="right")
    visitor.page.get_by_role("menuitem", name="Only").first.click()
    expect(visitor.page.get_by_role("combobox", name="Filter")).to_have_value(
        f'endpoint.pod.name == "{pod}"'
    )
    visitor.until_all("endpoint", pod)
    visitor.cells(path)


# --- details ---------------------------------------------------------------------------------


def test_details_show_the_path_the_bodies_and_the_time(visitor: Visitor, api: Api) -> None:
    page, details = visitor.page, visitor.details
    pods = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in api.shell.pods(API_LABELS)}
    client = next(iter(pods))
    body = json.dumps({"name": "Viktor", "roles": ["admin", "diver"]})
    curl = ("curl", "-s", "-H", "Content-Type: application/json", "-H", "X-Pod: of-details")
    api.shell.kubectl("exec", client, "--", *curl, "-d", body, "http://go-demo-2-api:8080/ready")
    visitor.row("POST /ready").click()
    chosen = visitor.cells("POST /ready")["endpoint"]

    drawing = details.locator(".drawing")
    expect(drawing.locator(".box.client")).to_contain_text(f"Pod {client}")
    expect(drawing.locator(".box.client")).to_contain_text(pods[client])
    expect(drawing.locator(".box.dns title")).to_contain_text("go-demo-2-api")
    address = api.shell.cluster_ip("go-demo-2-api")
    expect(drawing.locator(".box.dns title")).to_contain_text(address)
    expect(drawing.locator(".box.service")).to_contain_text("Service go-demo-2-api")
    expect(drawing.locator(".box.service")).to_contain_text(f"{address}:8080")
    expect(drawing.locator(".box.endpoint")).to_contain_text(f"Pod {chosen}")
    expect(drawing.locator(".box.endpoint")).to_contain_text(f"{pods[chosen]}:8080")
    peers = drawing.locator(".box.peer title").all_text_contents()
    assert {peer.split(",")[0].strip() for peer in peers} == {*pods} - {chosen}
    # The same in words, for who cannot see the picture.
    expect(details).to_contain_text(f"chose Pod {chosen}")
    expect(details).to_contain_text("Waiting for the answer")

    details.get_by_role("tab", name="Request").click()
    expect(details.locator(".json")).to_contain_text('name: "Viktor"')
    expect(details.locator(".json")).to_contain_text('"diver"')
    expect(details).to_contain_text("of-details")
    details.get_by_role("tab", name="Response").click()
    expect(details.locator("pre")).to_contain_text("POST /ready?value=no")
    details.get_by_role("tab", name="JSON").click()
    assert json.loads(details.locator("pre").inner_text())["endpoint"]["pod"]["name"] == chosen

    details.get_by_role("tab", name="Overview").click()
    details.get_by_role("button", name="Show that look-up").click()
    expect(details.get_by_role("heading", level=2)).to_contain_text("go-demo-2-api.default.svc")
    expect(page.locator(".details")).to_contain_text("kube-dns")


def test_everything_is_done_with_the_keyboard_alone(visitor: Visitor, api: Api) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    api.ask("/demo/hello")
    first, _ = api.ask()
    second, _ = api.ask()
    visitor.cells(second)
    keys.press("/")
    assert visitor.focused() == "filter"
    keys.type('path.startsWith("/of-")')
    keys.press("Enter")
    expect(page).to_have_url(re.compile("filter="))
    expect(visitor.row("/demo/hello")).to_have_count(0)
    visitor.cells(second)
    keys.press("Escape")
    keys.press("End")
    assert visitor.focused() == "rows"
    expect(visitor.row(second)).to_have_attribute("aria-selected", "true")
    keys.press("ArrowUp")
    expect(visitor.row(first)).to_have_attribute("aria-selected", "true")
    keys.press("Enter")
    expect(visitor.details.get_by_role("heading", level=2)).to_contain_text(first)
    keys.press("ArrowDown")
    expect(visitor.details.get_by_role("heading", level=2)).to_contain_text(second)
    keys.press("Escape")
    expect(visitor.details).to_have_count(0)
    assert visitor.focused() == "rows"
    keys.press(" ")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    keys.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


# --- links, and other viewers ----------------------------------------------------------------


def test_a_link_opens_the_same_view_for_somebody_else(
    browser: Browser, proxy: Proxy, visitor: Visitor, api: Api
) -> None:
    path, pod = api.ask()
    other, _ = api.ask()
    visitor.cells(other)
    visitor.filter(f'path == "{path}"')
    expect(visitor.row(other)).to_have_count(0)
    visitor.row(path).click()
    expect(visitor.details).to_contain_text(f"chose Pod {pod}")
    visitor.page.get_by_text("Copy link").click()
    expect(visitor.page.get_by_text("Copied")).to_be_visible()
    link: str = visitor.page.evaluate("() => navigator.clipboard.readText()")
    with visiting(browser, proxy, path=link.removeprefix(proxy.url)) as somebody:
        expect(somebody.details).to_contain_text(f"chose Pod {pod}")
        expect(somebody.page.get_by_role("combobox", name="Filter")).to_have_value(
            f'path == "{path}"'
        )
        somebody.cells(path)
        assert somebody.rows(other) == []


def test_two_look_at_once_at_what_each_asked_for(
    browser: Browser, proxy: Proxy, visitor: Visitor, api: Api
) -> None:
    with visiting(browser, proxy, path="/traffic?filter=dns") as other:
        path, _ = api.ask()
        visitor.cells(path)
        api.ask("/demo/person?name=Viktor")
        other.cells("go-demo-2-db.default.svc.cluster.local")
        other.until_all("protocol", "dns")


def test_a_stranger_sees_nothing(browser: Browser, proxy: Proxy) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"{proxy.url}/traffic")
    assert answer is not None and answer.status == 401
    expect(page.locator("body")).to_contain_text("This browser is not known here")
    context.close()


# --- history ---------------------------------------------------------------------------------


def test_what_happened_before_the_page_was_opened_is_there(
    browser: Browser, proxy: Proxy, visitor: Visitor, api: Api
) -> None:
    path, _ = api.ask()
    visitor.cells(path)
    with visiting(browser, proxy, path="/traffic") as later:
        later.page.get_by_label("Time range").select_option("Last 5 minutes")
        later.filter(f'path == "{path}"')
        later.cells(path)
        later.row(path).click()
        expect(later.details).to_contain_text("go-demo-2-api")


def test_a_range_in_which_nothing_was_says_what_to_do(visitor: Visitor) -> None:
    page = visitor.page
    day = datetime.now().astimezone() - timedelta(days=3)
    page.get_by_label("Time range").select_option("From … to …")
    page.get_by_label("From", exact=True).fill(day.strftime("%Y-%m-%dT10:00:00"))
    page.get_by_label("To (empty: until now, and on)").fill(day.strftime("%Y-%m-%dT11:00:00"))
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing in this time range")).to_be_visible()
    page.get_by_role("button", name="Show what happens now").click()
    expect(page.get_by_label("Time range")).to_have_value("")


# --- downloads -------------------------------------------------------------------------------


def download(visitor: Visitor, kind: str, folder: Path) -> Path:
    """What is shown, as a file."""
    visitor.page.locator("summary", has_text="Download").click()
    with visitor.page.expect_download() as coming:
        visitor.page.locator(f".downloads a[href*='format={kind}']").click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def test_what_is_shown_is_downloaded_for_wireshark_for_browsers_and_as_json(
    visitor: Visitor, api: Api, tmp_path: Path
) -> None:
    paths = [api.ask()[0] for _ in range(3)]
    api.ask("/demo/hello")
    visitor.filter(f"path in {json.dumps(paths)}")
    for path in paths:
        visitor.cells(path)

    packets = download(visitor, "pcapng", tmp_path)
    shown = ("tshark", "-r", str(packets), "-Y", "http.request", "-T", "fields")
    done = subprocess.run(
        [*shown, "-e", "http.request.uri"], capture_output=True, text=True, check=True
    )
    assert [said for said in done.stderr.splitlines() if "Running as user" not in said] == []
    assert set(done.stdout.split()) == set(paths)

    har = json.loads(download(visitor, "har", tmp_path).read_bytes())
    assert [each["request"]["url"].partition(":8080")[2] for each in har["log"]["entries"]] == paths
    assert {each["response"]["status"] for each in har["log"]["entries"]} == {404}

    entries = json.loads(download(visitor, "json", tmp_path).read_bytes())
    assert [entry["path"] for entry in entries] == paths


# --- phones ----------------------------------------------------------------------------------


def test_a_phone_shows_rows_details_and_every_control_without_scrolling_sideways(
    phone: Visitor, api: Api
) -> None:
    page = phone.page
    path, pod = api.ask()
    row = phone.cells(path)
    assert row["endpoint"] == pod
    assert phone.overflow_px() == 0
    toolbar = page.get_by_role("toolbar", name="Traffic")
    controls = [
        *page.get_by_role("navigation").get_by_role("link").all(),
        page.get_by_role("combobox", name="Filter"),
        *toolbar.get_by_role("button").all(),
        toolbar.get_by_label("Time range"),
        toolbar.get_by_role("checkbox", name="Probes"),
    ]
    for control in controls:
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360, control
        control.tap(trial=True)
    phone.row(path).tap()
    expect(phone.details.locator(".box.endpoint")).to_contain_text("go-demo-2-api")
    assert phone.overflow_px() == 0
    page.get_by_role("button", name="Close the details").tap()
    expect(phone.row(path)).to_be_visible()
