"""The dashboard's pages Services and Map, of a real cluster's Services and their traffic."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from support.application import API_LABELS
from support.browser import chromium
from support.proxy import Proxy, proxying
from support.shell import Shell, eventually
from support.visitor import PHONE, Visitor, visiting

API = "default/go-demo-2-api"
# With the numbers of an hour: by default they are of five minutes, and a busy machine takes longer.
MAP = "/map?window=3600"


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


@pytest.fixture(scope="module")
def answers(application: Shell, proxy: Proxy) -> Counter[str]:
    """How often each Pod of the API has answered since the dashboard looks, on either hop."""
    address = f"http://{application.cluster_ip('go-demo-2-api')}:8080"
    said = application.answers(f"{address}/demo/person?name=Viktor", 30)
    return Counter(answer.split()[0] for answer in said)


def endpoint(visitor: Visitor, name: str) -> Locator:
    return visitor.page.locator(".endpoints tbody tr", has_text=name)


def test_a_service_has_its_facts_shares_and_the_kernels_slots(
    browser: Browser, proxy: Proxy, application: Shell, answers: Counter[str]
) -> None:
    pods = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in application.pods(API_LABELS)}
    service = application.get("service", "go-demo-2-api")["spec"]
    with visiting(browser, proxy, path="/services") as visitor:
        page = visitor.page
        page.get_by_role("link", name="go-demo-2-api", exact=True).click()
        expect(page).to_have_url(re.compile("name=default%2Fgo-demo-2-api"))
        detail = page.get_by_role("region", name="go-demo-2-api")
        facts = detail.locator(".facts")
        expect(facts).to_contain_text("NodePort")
        expect(facts).to_contain_text(service["clusterIP"])
        expect(facts).to_contain_text(f"on every node {service['ports'][0]['nodePort']}")
        expect(facts).to_contain_text("service=go-demo-2,type=api")
        for name, ip in pods.items():
            line = endpoint(visitor, name)
            expect(line).to_contain_text(f"{ip}:8080")
            expect(line).to_contain_text("ready")
            # Numbers come every second.
            expect(line.locator("td.number").first).to_have_text(str(answers[name]))
            expect(line.locator(".share-bar")).to_contain_text("equal: 33.3")
        for name in pods:
            expect(detail.locator(".slots").first).to_contain_text(name)
        expect(detail.locator(".slot-group").first).to_contain_text(service["clusterIP"])
        expect(detail.get_by_role("link", name="Show its traffic")).to_be_visible()
        page.keyboard.press("Escape")
        expect(detail).to_have_count(0)
        expect(page.get_by_role("link", name="go-demo-2-api", exact=True)).to_be_focused()


def test_services_are_searched_sorted_and_walked_with_the_keyboard(
    browser: Browser, proxy: Proxy, answers: Counter[str]
) -> None:
    with visiting(browser, proxy, path="/services") as visitor:
        page = visitor.page
        lines = page.locator(".service-list tbody tr")
        page.get_by_role("searchbox", name="Search Services").fill("api")
        expect(lines).to_have_count(4)
        page.get_by_role("button", name="Requests").click()
        page.get_by_role("button", name="Requests").click()
        eventually(
            lambda: "go-demo-2-api" in {text[:13] for text in lines.all_text_contents()},
            "sorted by requests",
        )
        first = lines.first.get_by_role("link")
        first.focus()
        page.keyboard.press("ArrowDown")
        expect(lines.nth(1).get_by_role("link")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Endpoints and their shares")).to_be_visible()


def test_a_pod_that_is_not_ready_is_shown_with_the_reason_and_gets_no_slot(
    browser: Browser, proxy: Proxy, application: Shell
) -> None:
    away = application.pods(API_LABELS)[0]
    name, url = away["metadata"]["name"], f"http://{away['status']['podIP']}:8080/ready"
    with visiting(browser, proxy, path=f"/services?name={API}") as visitor:
        slots = visitor.page.locator(".slots")
        expect(slots.first).to_contain_text(name)
        application.curl(f"{url}?value=no", "-X", "POST")
        try:
            expect(endpoint(visitor, name)).to_contain_text("not ready")
            why = endpoint(visitor, name).locator("td .why")
            expect(why).to_contain_text("readiness probe")
            expect(why).to_contain_text("503")
            expect(slots.first).not_to_contain_text(name)
        finally:
            application.curl(f"{url}?value=yes", "-X", "POST")
        expect(endpoint(visitor, name)).not_to_contain_text("not ready")
        expect(slots.first).to_contain_text(name)
        application.wait_endpoints("go-demo-2-api", 3)


def test_the_map_has_who_asked_whom_and_a_line_leads_to_its_traffic(
    browser: Browser, proxy: Proxy, application: Shell, answers: Counter[str]
) -> None:
    with visiting(browser, proxy, path=MAP) as visitor:
        page = visitor.page
        for label in (
            "host (this machine)",
            "Service default/go-demo-2-api",
            "ReplicaSet default/go-demo-2-api, 3 Pods",
            "Service default/go-demo-2-db",
            "ReplicaSet default/go-demo-2-db, 1 Pod",
        ):
            expect(page.get_by_label(re.compile(rf"^{re.escape(label)}\."))).to_have_count(1)
        line = page.get_by_label(
            re.compile("^ReplicaSet default/go-demo-2-api, 3 Pods to Service default/go-demo-2-db;")
        )
        expect(line).to_have_accessible_name(re.compile(f"; {sum(answers.values())} requests;"))
        line.locator("rect").click()
        expect(page).to_have_url(re.compile(r"/traffic\?filter="))
        visitor.until_all("dst", "go-demo-2-db")
        assert {row["src"] for row in visitor.rows()} <= set(answers)


def test_the_map_is_steady_while_numbers_come(
    browser: Browser, proxy: Proxy, application: Shell, answers: Counter[str]
) -> None:
    url = f"http://{application.cluster_ip('go-demo-2-api')}:8080/demo/person?name=Viktor"
    with visiting(browser, proxy, path=MAP) as visitor:
        nodes = visitor.page.locator(".map-node")
        expect(nodes).to_have_count(5)
        places = "nodes => nodes.map(node => node.getAttribute('transform'))"
        before = nodes.evaluate_all(places)
        line = visitor.page.get_by_label(re.compile(r"^host \(this machine\) to Service"))
        label = line.get_attribute("aria-label")
        application.answers(url, 10)
        eventually(lambda: line.get_attribute("aria-label") != label, "the numbers change")
        assert nodes.evaluate_all(places) == before


def test_the_map_is_a_list_too_and_its_links_lead_on(
    browser: Browser, proxy: Proxy, answers: Counter[str]
) -> None:
    with visiting(browser, proxy, path=MAP) as visitor:
        page = visitor.page
        page.get_by_role("radio", name="List").check()
        expect(page).to_have_url(re.compile("as=list"))
        # The most comes first; probes of the tests' own, straight to a Pod, are another line.
        line = page.locator(".map-list tbody tr", has_text="this machine").first
        line.get_by_role("link", name="go-demo-2-api", exact=True).click()
        expect(page.get_by_role("heading", level=2, name="go-demo-2-api")).to_be_visible()


@pytest.mark.parametrize("path", ["/services", f"/services?name={API}", "/map", "/map?as=picture"])
def test_a_phone_does_not_scroll_sideways(
    browser: Browser, proxy: Proxy, answers: Counter[str], path: str
) -> None:
    with visiting(browser, proxy, path=path, size=PHONE, has_touch=True, is_mobile=True) as phone:
        expect(phone.page.get_by_text("go-demo-2-api").first).to_be_attached()
        assert phone.overflow_px() == 0
        # What is wider scrolls within itself; nothing that can be pressed is out of reach.
        for control in phone.page.locator("main button:visible, main a:visible").all():
            control.scroll_into_view_if_needed()
            box = control.bounding_box()
            assert box is not None
            assert box["x"] >= -1 and box["x"] + box["width"] <= 361, control


def test_a_service_that_nobody_can_reach_says_what_to_do(
    browser: Browser, proxy: Proxy, application: Shell
) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mistaken"},
        "spec": {"selector": {"service": "go-demo-3"}, "ports": [{"port": 80}]},
    }
    application.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
    try:
        with visiting(browser, proxy, path="/services?name=default/mistaken") as visitor:
            findings = visitor.page.locator(".findings")
            expect(findings.locator("li").first).to_have_attribute("data-severity", "error")
            expect(findings).to_contain_text("service=go-demo-3")
            expect(findings.locator("code").first).to_contain_text("kubectl")
    finally:
        application.kubectl("delete", "service", "mistaken")
