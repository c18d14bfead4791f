"""Secrets that hold a ServiceAccount's token."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from pilotfish.client.api import Client
from pilotfish.client.config import ClientConfig
from pilotfish.cluster import pki
from pilotfish.controllers.token_secrets import ACCOUNT_NAME, ACCOUNT_UID, TYPE
from pilotfish.objects.meta import Object, annotations_of, name_of, uid_of


def account(name: str) -> Object:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def token_secret(name: str, account_name: str) -> Object:
    annotations = {ACCOUNT_NAME: account_name}
    metadata = {"name": name, "namespace": "default", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Secret", "type": TYPE, "metadata": metadata}


def plain(secret: Object) -> dict[str, str]:
    return {key: b64decode(value).decode() for key, value in secret["data"].items()}


async def test_it_is_filled_with_a_token_that_ends_with_it(cluster: Any) -> None:
    made = await cluster.client.create("serviceaccounts", account("robot"))
    await cluster.client.create("secrets", token_secret("robot-token", "robot"))
    secret = await cluster.until_of("secrets", "robot-token", lambda found: found.get("data"))
    data = plain(secret)
    assert data["namespace"] == "default"
    assert data["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")
    assert annotations_of(secret)[ACCOUNT_UID] == uid_of(made)
    authority = pki.cert_file(cluster.server.folder / "pki", "ca")
    config = ClientConfig(server=cluster.server.url, ca=authority, token=data["token"])
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    async with Client(config) as robot:
        answer = await robot.request("POST", path, body=review)
    assert answer["status"]["userInfo"]["username"] == "system:serviceaccount:default:robot"
    await cluster.client.delete("secrets", "robot-token", "default")
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": data["token"]},
    }
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    answer = await cluster.client.request("POST", path, body=body)
    assert not answer["status"].get("authenticated")


async def test_what_is_there_is_kept_and_what_is_taken_out_comes_back(cluster: Any) -> None:
    await cluster.client.create("serviceaccounts", account("robot"))
    await cluster.client.create("secrets", token_secret("t", "robot"))
    first = await cluster.until_of("secrets", "t", lambda found: found.get("data"))
    await cluster.client.patch(
        "secrets", "t", {"data": {"ca.crt": None, "more": "eA=="}}, "default"
    )
    second = await cluster.until_of("secrets", "t", lambda found: "ca.crt" in found["data"])
    assert second["data"] == first["data"] | {"more": "eA=="}


async def test_it_goes_with_its_account_and_not_with_another(cluster: Any) -> None:
    for name in ("robot", "other"):
        await cluster.client.create("serviceaccounts", account(name))
        await cluster.client.create("secrets", token_secret(name, name))
        await cluster.until_of("secrets", name, lambda found: found.get("data"))
    opaque = token_secret("opaque", "robot") | {"type": "Opaque"}
    await cluster.client.create("secrets", opaque)
    await cluster.client.delete("serviceaccounts", "robot", "default")
    await cluster.until("secrets", lambda all_: {name_of(s) for s in all_} == {"other", "opaque"})


async def test_without_an_account_there_is_no_secret(cluster: Any) -> None:
    await cluster.client.create("secrets", token_secret("t", "nobody"))
    await cluster.until("secrets", lambda found: not found)


async def test_an_account_of_that_name_that_is_another_does_not_count(cluster: Any) -> None:
    await cluster.client.create("serviceaccounts", account("robot"))
    secret = token_secret("t", "robot")
    secret["metadata"]["annotations"][ACCOUNT_UID] = "a-former-one"
    await cluster.client.create("secrets", secret)
    await cluster.until("secrets", lambda found: not found)
