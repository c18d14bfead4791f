"""What a request wants to do, and the words of its refusal."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.catalog import Catalog
from pilotfish.apiserver.rbac.attributes import Attributes, attributes_of, refusal
from pilotfish.apiserver.routing import route


def asked(method: str, path: str, **query: str) -> Attributes:
    found = route(Catalog(), path)
    assert found is not None
    return attributes_of(method, found, query)


@pytest.mark.parametrize(
    ("method", "path", "verb"),
    [
        ("GET", "/api/v1/pods", "list"),
        ("GET", "/api/v1/namespaces/a/pods/b", "get"),
        ("HEAD", "/api/v1/namespaces/a/pods/b", "get"),
        ("GET", "/api/v1/watch/pods", "watch"),
        ("POST", "/api/v1/namespaces/a/pods", "create"),
        ("POST", "/api/v1/namespaces/a/pods/b/exec", "create"),
        ("PUT", "/api/v1/namespaces/a/pods/b/status", "update"),
        ("PATCH", "/api/v1/namespaces/a/pods/b", "patch"),
        ("DELETE", "/api/v1/namespaces/a/pods/b", "delete"),
        ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection"),
        ("GET", "/api/v1/namespaces/a/pods/b/log", "get"),
    ],
)
def test_the_method_and_the_path_make_the_verb(method: str, path: str, verb: str) -> None:
    assert asked(method, path).verb == verb


def test_a_list_may_be_a_watch() -> None:
    assert asked("GET", "/api/v1/pods", watch="true").verb == "watch"
    assert asked("GET", "/api/v1/pods", watch="false").verb == "list"


def test_one_object_is_got_and_not_watched() -> None:
    assert asked("GET", "/api/v1/namespaces/a/pods/b", watch="true").verb == "get"
    assert asked("GET", "/api/v1/watch/namespaces/a/pods/b").verb == "watch"


def test_a_method_without_a_verb_is_none() -> None:
    assert asked("LIST", "/api/v1/pods").verb == ""


def test_only_who_reads_is_limited_by_a_selected_name() -> None:
    for method in ("POST", "DELETE"):
        found = asked(method, "/api/v1/namespaces/a/pods", fieldSelector="metadata.name=x")
        assert found.name == ""


def test_a_selected_name_is_the_name() -> None:
    assert asked("GET", "/api/v1/pods", fieldSelector="a=b,metadata.name=x").name == "x"


def test_a_namespace_is_in_itself() -> None:
    assert asked("GET", "/api/v1/namespaces/a").namespace == "a"
    assert asked("GET", "/api/v1/namespaces").namespace == ""


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (
            Attributes("list", "", "pods", namespace="default"),
            'pods is forbidden: User "x" cannot list resource "pods" in API group "" '
            'in the namespace "default"',
        ),
        (
            Attributes("get", "apps", "deployments", "scale", "a", "b"),
            'deployments.apps "b" is forbidden: User "x" cannot get resource "deployments/scale" '
            'in API group "apps" in the namespace "a"',
        ),
        (
            Attributes("list", "", "nodes"),
            'nodes is forbidden: User "x" cannot list resource "nodes" in API group "" '
            "at the cluster scope",
        ),
        (
            Attributes("get", path="/metrics"),
            'forbidden: User "x" cannot get path "/metrics"',
        ),
    ],
)
def test_a_refusal_is_in_kubernetes_words(what: Attributes, message: str) -> None:
    error = refusal("x", what)
    assert (error.code, error.reason, error.message) == (403, "Forbidden", message)
