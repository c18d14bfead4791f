"""What a request through a Node's proxy takes the right to."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.connect.rights import ENTRIES, PACKETS, STATUS, TABLES, rights_of
from pilotfish.apiserver.rbac.attributes import Attributes

UPGRADE = {"Connection": "keep-alive, Upgrade", "Upgrade": "websocket"}


def asked(name: str, verb: str = "get") -> Attributes:
    return Attributes(verb, "", "nodes", "proxy", "", name)


def rights(
    name: str, path: str, query: str = "", headers: dict[str, str] | None = None
) -> list[Attributes]:
    raw_path = f"/api/v1/nodes/{name}/proxy{path}"
    return rights_of(asked(name), raw_path, query, headers or {})


@pytest.mark.parametrize("name", ["node-1", "https:node-1:10250", "node-1:9100", "node-1:no"])
def test_reading_from_a_kubelet_or_another_port_takes_the_verb_of_the_method(name: str) -> None:
    assert rights(name, "/pods") == [asked(name)]
    assert rights(name, "") == [asked(name)]


@pytest.mark.parametrize("name", ["node-1", "https:node-1:10250", "node-1:9100"])
def test_an_upgrade_takes_create_too(name: str) -> None:
    found = rights(name, "/exec/default/web/app", "command=id", UPGRADE)
    assert found == [asked(name), asked(name, "create")]
    assert rights(name, "/anything", "", UPGRADE) == found


@pytest.mark.parametrize(
    "path", ["/exec/a/b/c", "//exec/a/b/c", "/%65xec/a/b/c", "/attach/a/b/c", "/portForward/a/b"]
)
def test_what_runs_in_a_pod_takes_create_too(path: str) -> None:
    assert rights("node-1", path) == [asked("node-1"), asked("node-1", "create")]


@pytest.mark.parametrize("name", ["https:node-1:10251", "node-1:10251", "http:node-1:010251"])
def test_the_tap_has_rights_of_its_own(name: str) -> None:
    assert rights(name, "/v1/entries", "filter=http") == [ENTRIES]
    assert rights(name, "/v1/packets") == [PACKETS]
    assert rights(name, "/v1/status") == [STATUS]
    assert rights(name, "/v1/entries", "", UPGRADE) == [ENTRIES]


@pytest.mark.parametrize(
    "query", ["redact=false", "redact=true&redact=false", "%72edact=false", "redact=", "redact=no"]
)
def test_who_sees_secrets_may_see_packets(query: str) -> None:
    assert rights("https:node-1:10251", "/v1/entries", query) == [PACKETS]
    assert rights("https:node-1:10251", "/v1/entries", "redact=true") == [ENTRIES]


@pytest.mark.parametrize(
    "path", ["", "/", "//x/v1/packets", "/v1/entries/", "/v1/%65ntries", "/v1/entries;a", "/exec/a"]
)
def test_what_the_tap_might_read_otherwise_takes_the_greater_right(path: str) -> None:
    assert rights("https:node-1:10251", path) == [PACKETS]


def test_the_proxys_tables_have_a_right_of_their_own() -> None:
    assert rights("https:node-1:10249", "/v1/tables") == [TABLES]
    assert rights("https:node-1:10249", "/metrics") == [asked("https:node-1:10249")]
