"""Secrets do not leave the tap unless they are asked for."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest

from pilotfish.tap.redaction import REDACTED, redacted
from support.entries import entry

SECRET = "s3cr3t-value"


def http(**request: Any) -> dict[str, Any]:
    made = entry()
    made["request"] = {**made["request"], **request}
    for key in ("url", "path"):
        if key in request:
            made[key] = request[key]
            made["summary"] = f"GET {request['url']} → 200"
    return made


def redis(*words: str) -> dict[str, Any]:
    name, *arguments = words
    request = {"method": name, "command": name, "args": arguments, "size": 9}
    return entry(
        protocol="redis",
        url="",
        summary=f"{' '.join(words)} → OK",
        request={**request, "key": arguments[0] if arguments else ""},
        response={"type": "string", "value": "OK", "status": "OK", "error": False, "size": 5},
    )


@pytest.mark.parametrize(
    "made",
    [
        http(headers={"authorization": f"Bearer {SECRET}"}),
        http(headers={"cookie": f"session={SECRET}"}),
        http(headers={"X-Api-Key": SECRET}),
        http(url=f"/login?user=me&access_token={SECRET}", query={"access_token": SECRET}),
        http(url=f"http://me:{SECRET}@api/demo", path="/demo"),
        http(body=f"user=me&password={SECRET}"),
        http(body=f'{{"user": "me", "password": "{SECRET}", "age": 3}}'),
        http(body=f'{{"client_secret":"{SECRET} that was cut o'),
        http(body=f'{{"kind": "Secret", "data": {{"a": "{SECRET}"}}}}'),
        http(url="/api/v1/namespaces/shop/secrets/db", body=f"binary {SECRET}"),
        http(url="/api/v1/namespaces/shop/serviceaccounts/default/token", body=SECRET),
        redis("AUTH", SECRET),
        redis("AUTH", "me", SECRET),
        redis("HELLO", "3", "AUTH", "me", SECRET),
        redis("CONFIG", "SET", "requirepass", SECRET),
        entry(
            protocol="postgresql",
            summary=f"ALTER USER me PASSWORD '{SECRET}' → OK",
            request={"method": "QUERY", "query": f"ALTER USER me PASSWORD '{SECRET}'", "size": 3},
        ),
    ],
    ids=lambda made: made["summary"][:40].replace(SECRET, "…"),
)
def test_a_secret_is_nowhere_in_the_redacted_entry(made: dict[str, Any]) -> None:
    before = copy.deepcopy(made)
    clean = orjson.dumps(redacted(made)).decode()
    assert SECRET in orjson.dumps(made).decode()
    assert SECRET not in clean
    assert REDACTED in clean
    assert made == before


@pytest.mark.parametrize("words", [("AUTH", "user", "a"), ("AUTH", "e"), ("AUTH", "a", "→")])
def test_words_of_an_answer_that_happen_to_be_a_password_stay(words: tuple[str, ...]) -> None:
    refused = "WRONGPASS invalid username-password pair or user is disabled."
    name, *arguments = words
    made = redis(*words) | {"summary": f"{' '.join(words)} → {refused}"}
    clean = redacted(made)
    hidden = " ".join([REDACTED] * len(arguments))
    assert clean["summary"] == f"{name} {hidden} → {refused}"


@pytest.mark.parametrize("rest", ["\\", "\\\n more", 'a\\"b'])
def test_a_secret_in_a_body_that_is_cut_off_is_found(rest: str) -> None:
    clean = redacted(http(body=f'{{"password": "{SECRET}{rest}'))
    assert SECRET not in orjson.dumps(clean).decode()


def test_a_password_of_sql_that_is_cut_off_is_found() -> None:
    query = f"ALTER USER me PASSWORD '{SECRET}"
    request = {"method": "ALTER", "query": query, "size": 3}
    clean = redacted(entry(protocol="postgresql", summary=query, request=request))
    assert SECRET not in orjson.dumps(clean).decode()


def test_a_long_statement_of_blanks_is_searched_once() -> None:
    # The square of its length would take hours.
    query = "password" + " " * 4_000_000
    request = {"method": "?", "query": query, "size": 3}
    made = entry(protocol="postgresql", summary="x", request=request)
    assert redacted(made)["request"]["query"] == query


def test_the_answer_to_a_question_for_a_password_is_a_secret() -> None:
    made = redis("CONFIG", "GET", "requirepass")
    made["response"] |= {"value": ["requirepass", SECRET]}
    assert SECRET not in orjson.dumps(redacted(made)).decode()


def test_set_cookie_of_an_answer_is_redacted() -> None:
    made = entry()
    made["response"]["headers"]["set-cookie"] = SECRET
    assert redacted(made)["response"]["headers"]["set-cookie"] == REDACTED


def test_what_is_no_secret_stays() -> None:
    assert redacted(entry()) == entry()
    command = redis("SET", "token-bucket", "5")
    assert redacted(command) == command
    query = http(url="/find?tokens=3&q=password", body='{"passwords_tried": 3}')
    assert redacted(query) == query


def test_an_entry_without_an_answer_is_redacted_too() -> None:
    made = http(headers={"authorization": SECRET}) | {"response": None}
    assert redacted(made)["request"]["headers"] == {"authorization": REDACTED}
