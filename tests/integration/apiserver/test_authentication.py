"""Who is let in, and as whom."""

from __future__ import annotations

import ssl

import aiohttp
import pytest

from pilotfish.client.api import Client
from pilotfish.cluster import pki
from support.apiserver import RunningApiServer
from support.objects import pod

ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "robot", "namespace": "default"},
}
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


async def status_of(server: RunningApiServer, path: str, token: str = "") -> int:
    """The HTTP status for somebody without a certificate."""
    authority = pki.cert_file(server.folder / "pki", "ca")
    context = ssl.create_default_context(cafile=str(authority))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(server.url + path, ssl=context) as response,
    ):
        return response.status


async def test_strangers_see_nothing_but_health_and_version(server: RunningApiServer) -> None:
    assert await status_of(server, "/api/v1/pods") == 401
    assert await status_of(server, "/apis") == 401
    for path in ("/version", "/healthz", "/livez", "/readyz", "/readyz?verbose", "/livez/ping"):
        assert await status_of(server, path) == 200


@pytest.mark.parametrize("identity", [pki.ADMIN, pki.SCHEDULER])
async def test_a_certificate_names_user_and_groups(
    server: RunningApiServer, identity: pki.Identity
) -> None:
    async with Client(server.client_config(identity)) as client:
        review = await client.request("POST", REVIEWS, body=REVIEW)
    assert review["status"]["userInfo"] == {
        "username": identity.user,
        "groups": [*identity.groups, "system:authenticated"],
    }


async def test_a_service_account_speaks_by_its_token(
    server: RunningApiServer, client: Client
) -> None:
    await client.create("serviceaccounts", ACCOUNT)
    token = (await server.kubectl("create", "token", "robot")).strip()
    assert await status_of(server, "/apis", token) == 200
    assert await status_of(server, "/api/v1/pods", token) == 403
    assert await status_of(server, "/api/v1/pods", token[:-4] + "AAAA") == 401
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token},
    }
    answer = await client.request(
        "POST", "/apis/authentication.k8s.io/v1/tokenreviews", body=review
    )
    assert answer["status"]["user"]["username"] == "system:serviceaccount:default:robot"
    await client.delete("serviceaccounts", "robot", "default")
    answer = await client.request(
        "POST", "/apis/authentication.k8s.io/v1/tokenreviews", body=review
    )
    assert not answer["status"].get("authenticated")


async def test_a_token_ends_with_what_holds_it(server: RunningApiServer, client: Client) -> None:
    await client.create("serviceaccounts", ACCOUNT)
    await client.create("pods", pod("holder"))
    await client.create(
        "secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "holder", "namespace": "default"},
        },
    )
    for kind, resource in (("Pod", "pods"), ("Secret", "secrets")):
        bound = ("--bound-object-kind", kind, "--bound-object-name", "holder")
        token = (await server.kubectl("create", "token", "robot", *bound)).strip()
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token},
        }
        path = "/apis/authentication.k8s.io/v1/tokenreviews"
        answer = await client.request("POST", path, body=review)
        assert answer["status"]["authenticated"] is True
        await client.delete(resource, "holder", "default", grace_period_s=0)
        answer = await client.request("POST", path, body=review)
        assert not answer["status"].get("authenticated")
