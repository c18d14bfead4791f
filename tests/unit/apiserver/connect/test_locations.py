"""Paths in and Locations out of the proxy."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.connect.locations import proxy_prefix, rewrite_location, target_path

SERVICE = "/api/v1/namespaces/proxy/services/https:web:443/proxy"
NODE = "/api/v1/nodes/node-1/proxy"


@pytest.mark.parametrize(
    ("rest", "target"), [("", ""), ("/", "/"), ("/a/b", "/a/b"), ("/a%2Fb//c/", "/a%2Fb//c/")]
)
def test_what_follows_proxy_goes_to_the_backend_as_it_is(rest: str, target: str) -> None:
    assert target_path(SERVICE + rest, namespaced=True) == target
    assert target_path(NODE + rest, namespaced=False) == target


def test_what_precedes_is_the_prefix() -> None:
    assert proxy_prefix(SERVICE + "/a/b", namespaced=True) == SERVICE
    assert proxy_prefix(NODE, namespaced=False) == NODE


@pytest.mark.parametrize(
    ("location", "rewritten"),
    [
        ("/login?next=%2F", SERVICE + "/login?next=%2F"),
        ("http://10.244.0.5:8080/login/", SERVICE + "/login/"),
        ("https://127.0.0.1:6443/login", SERVICE + "/login"),
        (SERVICE + "/already", SERVICE + "/already"),
        ("relative#part", "relative#part"),
        ("https://elsewhere.example/login", "https://elsewhere.example/login"),
    ],
)
def test_locations_lead_back_through_the_proxy(location: str, rewritten: str) -> None:
    assert rewrite_location(location, SERVICE, "10.244.0.5:8080", "127.0.0.1:6443") == rewritten
