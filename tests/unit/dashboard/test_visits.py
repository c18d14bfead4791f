"""Other sites, other hosts' names, and who shows nothing get nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilotfish.dashboard.access import Access
from pilotfish.dashboard.visits import Doorkeeper, Visit

ACCESS = Access("11" * 32, "secret", "run-1")
KEEPER = Doorkeeper("127.0.0.1", 8899, ACCESS)
KNOWN = ACCESS.cookie()
OURS = "127.0.0.1:8899"
PAGE = Visit(path="/traffic", page=True, host=OURS)
DATA = Visit(path="/api/v1/entries", page=False, host=OURS)
LIVE = Visit(path="/api/v1/live", page=False, host=OURS, socket=True)


@pytest.mark.parametrize("host", [OURS, "localhost:8899", "LocalHost:8899", "[::1]:8899"])
def test_who_is_known_is_admitted_under_our_names(host: str) -> None:
    assert KEEPER.judge(replace(PAGE, host=host, cookie=KNOWN)) == "admit"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1",
        "127.0.0.1:8898",
        "127.0.0.1:",
        "127.0.0.1:8899.",
        "127.0.0.2:8899",
        "localhost.evil.example:8899",
        "evil.example:8899",
        "localhost:8899@evil.example",
        "[::1]",
        "[::2]:8899",
        "::1:8899",
        "127.0.0.1:٨٨٩٩",
    ],
)
def test_under_another_name_nobody_gets_anything(host: str) -> None:
    for path in ("/", "/api/v1/live", "/healthz"):
        visit = Visit(path=path, page=True, host=host, cookie=KNOWN, authorization="Bearer secret")
        assert KEEPER.judge(visit) == "wrong host"


def test_port_80_need_not_be_named() -> None:
    keeper = Doorkeeper("127.0.0.1", 80, ACCESS)
    assert keeper.judge(replace(PAGE, host="127.0.0.1", cookie=KNOWN)) == "admit"


def test_the_address_that_was_asked_for_is_ours_too() -> None:
    keeper = Doorkeeper("192.168.1.5", 8899, ACCESS)
    assert keeper.judge(replace(PAGE, host="192.168.1.5:8899", cookie=KNOWN)) == "admit"
    assert keeper.judge(replace(PAGE, host="192.168.1.6:8899", cookie=KNOWN)) == "wrong host"


def test_who_listens_everywhere_answers_to_the_address_that_was_reached() -> None:
    keeper = Doorkeeper("0.0.0.0", 8899, ACCESS)
    visit = replace(PAGE, cookie=KNOWN, local_ip="192.168.1.5")
    assert keeper.judge(replace(visit, host="192.168.1.5:8899")) == "admit"
    assert keeper.judge(replace(visit, host="192.168.1.6:8899")) == "wrong host"
    assert keeper.judge(replace(visit, host="evil.example:8899")) == "wrong host"


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1:9999",
        "https://127.0.0.1:8899",
        "http://localhost:8899",
    ],
)
def test_other_origins_get_nothing_whatever_they_show(origin: str) -> None:
    for visit in (PAGE, DATA, LIVE):
        shown = replace(visit, origin=origin, cookie=KNOWN, authorization="Bearer secret")
        assert KEEPER.judge(shown) == "wrong origin"


def test_our_own_page_may_ask() -> None:
    for visit in (DATA, LIVE):
        shown = replace(visit, origin=f"http://{OURS}", cookie=KNOWN, fetch_site="same-origin")
        assert KEEPER.judge(shown) == "admit"


def test_a_browsers_websocket_says_where_it_comes_from() -> None:
    assert KEEPER.judge(replace(LIVE, cookie=KNOWN)) == "wrong origin"


def test_a_program_needs_no_origin() -> None:
    assert KEEPER.judge(replace(LIVE, authorization="Bearer secret")) == "admit"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_data_is_not_for_what_other_sites_embed(site: str) -> None:
    assert KEEPER.judge(replace(DATA, cookie=KNOWN, fetch_site=site)) == "wrong origin"


def test_a_download_may_be_opened_from_the_address_bar() -> None:
    assert KEEPER.judge(replace(DATA, cookie=KNOWN, fetch_site="none")) == "admit"


@pytest.mark.parametrize("visit", [PAGE, DATA, LIVE])
def test_who_shows_nothing_is_unknown(visit: Visit) -> None:
    assert KEEPER.judge(visit) == "unknown"


def test_what_is_shown_must_be_ours() -> None:
    for visit in (PAGE, DATA, LIVE):
        shown = replace(visit, cookie="x", authorization="Bearer x", token="x")
        assert KEEPER.judge(shown) == "unknown"


def test_a_link_is_exchanged_for_a_cookie_and_then_used() -> None:
    visit = replace(PAGE, token=ACCESS.link_token())
    assert [KEEPER.judge(visit), KEEPER.judge(visit)] == ["set cookie", "used"]


def test_a_link_is_used_up_even_by_a_browser_that_is_known() -> None:
    token = ACCESS.link_token()
    assert KEEPER.judge(replace(PAGE, token=token, cookie=KNOWN)) == "set cookie"
    assert KEEPER.judge(replace(PAGE, token=token)) == "used"


def test_a_used_link_does_not_shut_out_a_browser_that_is_known() -> None:
    token = ACCESS.link_token()
    ACCESS.redeem(token)
    assert KEEPER.judge(replace(PAGE, token=token, cookie=KNOWN)) == "admit"


def test_data_takes_no_links() -> None:
    token = ACCESS.link_token()
    assert KEEPER.judge(replace(DATA, token=token)) == "unknown"
    assert ACCESS.redeem(token) == "good"


def test_a_visit_from_another_site_is_sent_round_once_for_its_strict_cookie() -> None:
    first = replace(PAGE, fetch_site="cross-site")
    assert KEEPER.judge(first) == "bounce"
    assert KEEPER.judge(replace(first, fetch_site="same-origin")) == "unknown"


def test_health_is_for_everybody() -> None:
    assert KEEPER.judge(Visit(path="/healthz", page=False, host=OURS)) == "admit"
