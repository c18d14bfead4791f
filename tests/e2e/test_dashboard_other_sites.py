"""Other sites in the same browser, in Chromium: they get nothing, and their links work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from support.browser import chromium
from support.proxy import Proxy, proxying
from support.shell import Shell

# What a site could try, and what came of it.
SITE = """<!doctype html>
<a id="plain" href="{url}/services">a link that somebody sent</a>
<a id="token" href="{link}">the link of a terminal that is a web page</a>
<iframe src="{url}/traffic"></iframe>
<img id="image" src="{url}/api/v1/status" alt="">
<script>
const came = {{}};
const target = "{url}/api/v1/status";
fetch(target, {{credentials: "include"}})
  .then(() => came.fetch = "answered", () => came.fetch = "refused");
fetch(target, {{credentials: "include", mode: "no-cors"}})
  .then(() => came.opaque = "answered", () => came.opaque = "refused");
const socket = new WebSocket("{socket}/api/v1/live");
socket.onopen = () => came.socket = "answered";
socket.onerror = () => came.socket = "refused";
</script>
"""
NOTHING = {"fetch": "refused", "opaque": "refused", "socket": "refused"}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Without a cluster: who gets in does not depend on one."""
    folder = tmp_path_factory.mktemp("sites")
    with proxying(Shell(folder / "kubeconfig"), folder, "--no-browser") as running:
        yield running


@pytest.fixture(scope="module")
def port(proxy: Proxy) -> Iterator[int]:
    """Where the other site is."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            socket = proxy.url.replace("http:", "ws:")
            text = SITE.format(url=proxy.url, link=proxy.link(), socket=socket)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture(scope="module")
def known(proxy: Proxy, port: int) -> Iterator[Page]:
    """A page of a browser that came in by a link on another site."""
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"http://localhost:{port}/")
        page.click("#token")
        expect(page).to_have_title("Traffic · Pilotfish")
        assert page.url == f"{proxy.url}/"
        yield page


# The first is another site, the second the same site on another port: cookies are sent to it.
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_another_site_gets_nothing_though_the_browser_is_known(
    known: Page, port: int, host: str
) -> None:
    known.goto(f"http://{host}:{port}/")
    known.wait_for_function("Object.keys(came).length === 3")
    assert known.evaluate("came") == NOTHING
    assert known.evaluate("document.getElementById('image').naturalWidth") == 0
    assert [frame.url for frame in known.frames[1:]] == ["chrome-error://chromewebdata/"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_link_on_another_site_opens_the_view(
    known: Page, proxy: Proxy, port: int, host: str
) -> None:
    known.goto(f"http://{host}:{port}/")
    known.click("#plain")
    expect(known).to_have_title("Services · Pilotfish")
    assert known.url == f"{proxy.url}/services"


def test_a_link_without_a_token_opens_nothing_for_who_is_unknown(
    known: Page, proxy: Proxy, port: int
) -> None:
    browser = known.context.browser
    assert browser is not None
    stranger = browser.new_page()
    stranger.goto(f"http://localhost:{port}/")
    stranger.click("#plain")
    expect(stranger.locator("h1")).to_have_text("This browser is not known here")
