"""Links work once; cookies and the token of programs are what they say."""

from __future__ import annotations

import pytest

from pilotfish.dashboard.access import COOKIE_S, LINK_S, Access, link_token

KEY, OTHER_KEY = "11" * 32, "22" * 32


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(clock: Clock) -> Access:
    return Access(KEY, "secret", "run-1", clock)


def test_a_link_is_good_once(access: Access) -> None:
    token = access.link_token()
    assert [access.redeem(token), access.redeem(token)] == ["good", "used"]


def test_each_visitor_has_a_link_of_their_own(access: Access) -> None:
    assert [access.redeem(access.link_token()) for _ in range(3)] == ["good"] * 3


def test_a_link_ends(access: Access, clock: Clock) -> None:
    token = access.link_token()
    clock.now_s += LINK_S + 1
    assert access.redeem(token) == "expired"


def test_a_link_of_another_run_is_worth_nothing(access: Access, clock: Clock) -> None:
    assert access.redeem(link_token(KEY, "run-0", clock())) == "wrong"


def test_another_command_of_the_same_user_can_make_a_link(access: Access, clock: Clock) -> None:
    assert access.redeem(link_token(KEY, "run-1", clock())) == "good"


def test_who_does_not_have_the_key_can_make_no_link(access: Access, clock: Clock) -> None:
    assert access.redeem(link_token(OTHER_KEY, "run-1", clock())) == "wrong"


@pytest.mark.parametrize("token", ["", ".", "..", "x", "9999999999.aa.bb", "\udcff", "\ud800.é"])
def test_what_is_no_link_is_wrong(access: Access, token: str) -> None:
    assert access.redeem(token) == "wrong"


def test_a_link_whose_end_was_changed_is_wrong(access: Access) -> None:
    end, _, rest = access.link_token().partition(".")
    assert access.redeem(f"{int(end) + 1}.{rest}") == "wrong"


def test_a_cookie_outlives_the_run_that_gave_it(access: Access, clock: Clock) -> None:
    assert Access(KEY, "secret", "run-2", clock).admits_cookie(access.cookie())


def test_a_cookie_ends(access: Access, clock: Clock) -> None:
    cookie = access.cookie()
    clock.now_s += COOKIE_S + 1
    assert not access.admits_cookie(cookie)


def test_a_link_is_no_cookie_and_a_cookie_no_link(access: Access) -> None:
    assert not access.admits_cookie(access.link_token())
    assert access.redeem(access.cookie()) == "wrong"


def test_a_cookie_under_another_key_is_none(access: Access, clock: Clock) -> None:
    assert not access.admits_cookie(Access(OTHER_KEY, "secret", "run-1", clock).cookie())


@pytest.mark.parametrize("header", ["Bearer secret", "bearer secret", "Bearer  secret "])
def test_programs_show_their_token(access: Access, header: str) -> None:
    assert access.admits_program(header)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer secre", "Basic secret", "secret", "Bearer sécret"]
)
def test_without_their_token_programs_get_nothing(access: Access, header: str) -> None:
    assert not access.admits_program(header)
