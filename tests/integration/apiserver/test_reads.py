"""Reading through the API: selectors, pages, other shapes."""

from __future__ import annotations

import pytest

from pilotfish.client.api import Client
from pilotfish.client.errors import ApiError
from support.objects import config_map, pod

MAPS = "/api/v1/namespaces/default/configmaps"


def names(listed: dict[str, list[dict[str, dict[str, str]]]]) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def test_labels_and_fields_select(client: Client) -> None:
    for name, app in (("a", "x"), ("b", "y"), ("c", "x")):
        obj = pod(name)
        obj["metadata"]["labels"] = {"app": app}
        await client.create("pods", obj)
    assert names(await client.list("pods", "default", label_selector="app in (x)")) == ["a", "c"]
    assert names(await client.list("pods", field_selector="metadata.name!=a")) == ["b", "c"]
    assert names(
        await client.list("pods", field_selector="status.phase=Pending,spec.nodeName=")
    ) == [
        "a",
        "b",
        "c",
    ]


async def test_a_field_that_nobody_can_select_by_is_named(client: Client) -> None:
    with pytest.raises(ApiError, match=r"field label not supported: spec\.color") as refusal:
        await client.list("pods", field_selector="spec.color=red")
    assert refusal.value.code == 400


async def test_pages_show_the_moment_of_the_first_one(client: Client) -> None:
    for name in ("a", "b", "c", "d"):
        await client.create("configmaps", config_map(name))
    first = await client.request("GET", MAPS, {"limit": "2"})
    assert names(first) == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 2
    await client.delete("configmaps", "c", "default")
    await client.create("configmaps", config_map("e"))
    token = first["metadata"]["continue"]
    second = await client.request("GET", MAPS, {"limit": "9", "continue": token})
    assert names(second) == ["c", "d"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert "continue" not in second["metadata"]


async def test_a_token_that_was_never_given_out_is_refused(client: Client) -> None:
    with pytest.raises(ApiError, match="continue key is not valid"):
        await client.request("GET", MAPS, {"limit": "2", "continue": "bm90aGluZw"})


async def test_the_same_event_is_read_in_both_versions(client: Client) -> None:
    await client.create(
        "events",
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "e", "namespace": "default"},
            "involvedObject": {"kind": "Pod", "name": "a", "namespace": "default"},
            "reason": "Started",
            "message": "hello",
            "type": "Normal",
        },
    )
    path = "/apis/events.k8s.io/v1/namespaces/default/events"
    listed = await client.request("GET", path, {"fieldSelector": "regarding.name=a"})
    assert [(item["note"], item["regarding"]["kind"]) for item in listed["items"]] == [
        ("hello", "Pod")
    ]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/foos", 404),
        ("GET", "/apis/none/v1/foos", 404),
        ("PATCH", MAPS, 405),
        ("POST", f"{MAPS}/a", 405),
        ("GET", "/apis/authentication.k8s.io/v1/selfsubjectreviews", 405),
    ],
)
async def test_what_is_not_there_answers_with_a_status(
    client: Client, method: str, path: str, code: int
) -> None:
    with pytest.raises(ApiError) as refusal:
        await client.request(method, path)
    assert (refusal.value.code, refusal.value.status["kind"]) == (code, "Status")


async def test_a_selector_may_be_long(client: Client) -> None:
    await client.create("configmaps", config_map("a"))
    selector = ",".join(f"label-{number}!=value" for number in range(2000))
    assert "a" in names(await client.list("configmaps", label_selector=selector))
