"""Where a Pod's kubelet is and what it is asked."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.connect.kubelet import (
    KubeletAddress,
    kubelet_address,
    kubelet_target,
    node_of,
)
from pilotfish.apiserver.errors import StatusError
from pilotfish.objects.meta import Object

POD: Object = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"containers": [{"name": "app"}]},
}


def test_the_nodes_status_says_where_its_kubelet_listens() -> None:
    node = {
        "status": {
            "addresses": [
                {"type": "Hostname", "address": "node-1"},
                {"type": "InternalIP", "address": "192.168.64.2"},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10251}},
        }
    }
    assert kubelet_address(node) == KubeletAddress("192.168.64.2", 10251)
    del node["status"]["daemonEndpoints"]
    assert kubelet_address(node) == KubeletAddress("192.168.64.2", 10250)


def test_a_node_without_address_cannot_be_asked() -> None:
    with pytest.raises(StatusError, match="no preferred addresses found"):
        kubelet_address({"metadata": {"name": "node-1"}})


def test_a_pod_that_is_not_scheduled_has_no_kubelet() -> None:
    with pytest.raises(StatusError, match="pod web does not have a host assigned"):
        node_of(POD)


def test_exec_names_the_streams_as_the_kubelet_does() -> None:
    query = {"command": ["sh", "-c", "echo a&b"], "stdin": ["true"], "tty": ["1"], "stderr": ["0"]}
    assert kubelet_target(POD, "exec", query) == (
        "/exec/shop/web/app?input=1&tty=1&command=sh&command=-c&command=echo+a%26b"
    )


def test_exec_needs_a_command_and_attach_does_not() -> None:
    with pytest.raises(StatusError, match="at least one command"):
        kubelet_target(POD, "exec", {"stdout": ["true"]})
    assert kubelet_target(POD, "attach", {"stdout": ["true"]}) == "/attach/shop/web/app?output=1"


def test_port_forward_is_of_the_pod_and_not_of_a_container() -> None:
    assert kubelet_target(POD, "portforward", {}) == "/portForward/shop/web"
    assert kubelet_target(POD, "portforward", {"ports": ["80", "81"]}) == (
        "/portForward/shop/web?port=80%2C81"
    )


def test_log_options_go_on_and_others_do_not() -> None:
    query = {"follow": ["true"], "tailLines": ["0"], "container": ["app"], "pretty": ["true"]}
    assert kubelet_target(POD, "log", query) == (
        "/containerLogs/shop/web/app?follow=true&tailLines=0"
    )


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({"tailLines": ["-1"]}, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ({"limitBytes": ["0"]}, "limitBytes: Invalid value: 0: must be greater than 0"),
        ({"sinceSeconds": ["0"]}, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            {"sinceSeconds": ["5"], "sinceTime": ["2026-01-01T00:00:00Z"]},
            "at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
    ],
)
def test_log_options_that_make_no_sense_are_refused(
    query: dict[str, list[str]], complaint: str
) -> None:
    with pytest.raises(StatusError) as caught:
        kubelet_target(POD, "log", query)
    assert caught.value.code == 422
    assert complaint in caught.value.message
