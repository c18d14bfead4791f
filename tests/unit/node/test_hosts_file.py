"""A Pod's /etc/hosts and hostname."""

from __future__ import annotations

from typing import Any

from pilotfish.node.hosts_file import hosts_file, pod_hostname


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web-0", "namespace": "ns"}, "spec": spec}


def hosts(**spec: Any) -> list[str]:
    text = hosts_file(pod(**spec), ["10.244.0.5"], "node-1", "cluster.local", "127.0.0.1 machine\n")
    return text.splitlines()


def test_a_pod_knows_itself_by_its_name() -> None:
    assert hosts()[-1] == "10.244.0.5\tweb-0"
    assert hosts()[1] == "127.0.0.1\tlocalhost"


def test_hostname_and_subdomain_give_a_full_name() -> None:
    assert hosts(hostname="db", subdomain="sub")[-1] == (
        "10.244.0.5\tdb.sub.ns.svc.cluster.local\tdb"
    )


def test_host_aliases_are_appended() -> None:
    aliases = [{"ip": "192.0.2.1", "hostnames": ["foo", "bar"]}]
    assert hosts(hostAliases=aliases)[-2:] == [
        "# Entries added by HostAliases.",
        "192.0.2.1\tfoo\tbar",
    ]


def test_a_pod_on_the_nodes_network_sees_the_machines_hosts() -> None:
    assert "127.0.0.1 machine" in hosts(hostNetwork=True)
    assert pod_hostname(pod(hostNetwork=True), "node-1") == "node-1"


def test_a_long_name_is_cut_to_what_linux_takes() -> None:
    long = {"metadata": {"name": "x" * 62 + "-yz"}, "spec": {}}
    assert pod_hostname(long, "node-1") == "x" * 62
