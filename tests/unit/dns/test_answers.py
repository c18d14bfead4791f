"""Replies to queries about Services, as a resolver library sees them."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset
import pytest

from pilotfish.dns.answers import Forward
from pilotfish.dns.compiler import Compiler
from support.zone import (
    add_headless,
    add_web,
    ask,
    data,
    endpoint,
    is_nodata,
    is_nxdomain,
    service,
    slice_of,
)


def test_a_service_has_its_cluster_ip_for_five_seconds(compiler: Compiler) -> None:
    add_web(compiler)
    reply = ask(compiler.answerer, "web.default.svc.cluster.local")
    assert str(reply.answer[0]) == "web.default.svc.cluster.local. 5 IN A 10.96.3.4"
    assert reply.flags & dns.flags.AA
    assert reply.flags & dns.flags.RA
    assert reply.flags & dns.flags.RD


def test_a_name_in_any_case_is_found_and_comes_back_as_it_was_written(compiler: Compiler) -> None:
    add_web(compiler)
    query = dns.message.make_query("WeB.DEFAULT.svc.Cluster.Local", "A")
    reply = compiler.answerer.answer(query.to_wire())
    assert isinstance(reply, bytes)
    assert b"\x03WeB\x07DEFAULT" in reply
    assert data(dns.message.from_wire(reply)) == ["10.96.3.4"]


def test_an_ipv4_service_asked_for_aaaa_has_no_data(compiler: Compiler) -> None:
    add_web(compiler)
    assert is_nodata(ask(compiler.answerer, "web.default.svc.cluster.local", "AAAA"))


def test_a_type_whose_number_is_a_letter_is_not_mistaken_for_another(compiler: Compiler) -> None:
    add_web(compiler)
    assert is_nodata(ask(compiler.answerer, "web.default.svc.cluster.local", "HTTPS"))


def test_both_families_of_a_dual_stack_service_are_answered(compiler: Compiler) -> None:
    ips = ["10.96.0.7", "fd00:10:96::7"]
    compiler.set_service(service("dual", clusterIP=ips[0], clusterIPs=ips), [])
    assert data(ask(compiler.answerer, "dual.default.svc.cluster.local")) == ips[:1]
    assert data(ask(compiler.answerer, "dual.default.svc.cluster.local", "AAAA")) == ips[1:]
    pointer = dns.reversename.from_address(ips[1])
    assert data(ask(compiler.answerer, str(pointer), "PTR")) == ["dual.default.svc.cluster.local."]


def test_named_ports_have_srv_records_with_the_address_along(compiler: Compiler) -> None:
    add_web(compiler)
    reply = ask(compiler.answerer, "_http._tcp.web.default.svc.cluster.local", "SRV")
    assert data(reply) == ["0 100 80 web.default.svc.cluster.local."]
    assert str(reply.additional[0]) == "web.default.svc.cluster.local. 5 IN A 10.96.3.4"
    reply = ask(compiler.answerer, "_sip._udp.web.default.svc.cluster.local", "SRV")
    assert data(reply) == ["0 100 5060 web.default.svc.cluster.local."]
    assert is_nxdomain(ask(compiler.answerer, "_sip._tcp.web.default.svc.cluster.local", "SRV"))


def test_unnamed_ports_have_no_srv_name(compiler: Compiler) -> None:
    compiler.set_service(service("one", clusterIP="10.96.9.9", ports=[{"port": 80}]), [])
    assert is_nxdomain(ask(compiler.answerer, "_tcp.one.default.svc.cluster.local", "SRV"))


def test_a_cluster_ip_leads_back_to_its_service(compiler: Compiler) -> None:
    add_web(compiler)
    reply = ask(compiler.answerer, "4.3.96.10.in-addr.arpa", "PTR")
    assert data(reply) == ["web.default.svc.cluster.local."]


def test_unused_addresses_of_the_clusters_ranges_do_not_exist(compiler: Compiler) -> None:
    add_web(compiler)
    assert is_nxdomain(ask(compiler.answerer, "5.3.96.10.in-addr.arpa", "PTR"))
    assert is_nxdomain(ask(compiler.answerer, "1.0.111.10.in-addr.arpa", "PTR"))
    assert is_nxdomain(ask(compiler.answerer, "1.0.244.10.in-addr.arpa", "PTR"))
    assert is_nodata(ask(compiler.answerer, "3.96.10.in-addr.arpa", "PTR"))


def test_addresses_outside_the_clusters_ranges_are_asked_elsewhere(compiler: Compiler) -> None:
    for name in ("8.8.8.8.in-addr.arpa", "1.0.112.10.in-addr.arpa", "example.com", "."):
        query = dns.message.make_query(name, "PTR")
        assert isinstance(compiler.answerer.answer(query.to_wire()), Forward), name


def test_a_headless_service_has_its_ready_endpoints(compiler: Compiler) -> None:
    add_headless(
        compiler,
        endpoint("10.244.0.5"),
        endpoint("10.244.1.6", ready=False),
        endpoint("10.244.1.7", ready=None),
    )
    reply = ask(compiler.answerer, "db.default.svc.cluster.local")
    assert data(reply) == ["10.244.0.5", "10.244.1.7"]


def test_unready_endpoints_are_published_where_the_service_says_so(compiler: Compiler) -> None:
    add_headless(compiler, endpoint("10.244.0.5", ready=False), publishNotReadyAddresses=True)
    assert data(ask(compiler.answerer, "db.default.svc.cluster.local")) == ["10.244.0.5"]


def test_a_headless_service_without_ready_endpoints_does_not_exist(compiler: Compiler) -> None:
    add_headless(compiler, endpoint("10.244.0.5", ready=False, hostname="db-0"))
    assert is_nxdomain(ask(compiler.answerer, "db.default.svc.cluster.local"))
    assert is_nxdomain(ask(compiler.answerer, "db-0.db.default.svc.cluster.local"))


def test_endpoints_of_a_headless_service_have_names(compiler: Compiler) -> None:
    add_headless(compiler, endpoint("10.244.0.5", hostname="db-0"), endpoint("10.244.0.6"))
    assert data(ask(compiler.answerer, "db-0.db.default.svc.cluster.local")) == ["10.244.0.5"]
    name = "10-244-0-6.db.default.svc.cluster.local"
    assert data(ask(compiler.answerer, name)) == ["10.244.0.6"]
    reply = ask(compiler.answerer, "5.0.244.10.in-addr.arpa", "PTR")
    assert data(reply) == ["db-0.db.default.svc.cluster.local."]
    reply = ask(compiler.answerer, "_http._tcp.db.default.svc.cluster.local", "SRV")
    assert data(reply) == [
        "0 50 8080 10-244-0-6.db.default.svc.cluster.local.",
        "0 50 8080 db-0.db.default.svc.cluster.local.",
    ]
    assert len(reply.additional) == 2


def test_one_address_in_two_headless_services_has_both_names(compiler: Compiler) -> None:
    for name in ("db", "cache"):
        compiler.set_service(
            service(name, clusterIP="None"),
            [slice_of(name, [endpoint("10.244.0.5", hostname="pod")])],
        )
    reply = ask(compiler.answerer, "5.0.244.10.in-addr.arpa", "PTR")
    names = ["pod.cache.default.svc.cluster.local.", "pod.db.default.svc.cluster.local."]
    assert data(reply) == names
    compiler.forget_service("default/db")
    reply = ask(compiler.answerer, "5.0.244.10.in-addr.arpa", "PTR")
    assert data(reply) == names[:1]


def test_the_additional_address_of_an_srv_record_follows_a_change(compiler: Compiler) -> None:
    add_headless(compiler, endpoint("10.244.0.5", hostname="db-0"))
    add_headless(compiler, endpoint("10.244.0.9", hostname="db-0"))
    reply = ask(compiler.answerer, "_http._tcp.db.default.svc.cluster.local", "SRV")
    assert [str(item) for rrset in reply.additional for item in rrset] == ["10.244.0.9"]


def test_addresses_take_turns_in_being_the_first(compiler: Compiler) -> None:
    add_headless(compiler, *(endpoint(f"10.244.0.{n}") for n in (5, 6, 7)))
    query = dns.message.make_query("db.default.svc.cluster.local", "A").to_wire()
    replies = [compiler.answerer.answer(query) for _ in range(3)]
    firsts = {reply[-48:-32] for reply in replies if isinstance(reply, bytes)}
    assert len(firsts) == 3


def test_an_external_name_is_an_alias_to_ask_elsewhere(compiler: Compiler) -> None:
    compiler.set_service(service("out", type="ExternalName", externalName="www.Example.com"), [])
    reply = ask(compiler.answerer, "out.default.svc.cluster.local", "CNAME")
    assert str(reply.answer[0]) == "out.default.svc.cluster.local. 5 IN CNAME www.Example.com."
    query = dns.message.make_query("out.default.svc.cluster.local", "A")
    order = compiler.answerer.answer(query.to_wire())
    assert isinstance(order, Forward)
    assert order.question == b"\x03www\x07example\x03com\0\0\1\0\1"
    assert len(order.aliases) == 1


def test_an_external_name_within_the_cluster_is_followed(compiler: Compiler) -> None:
    add_web(compiler)
    target = "web.default.svc.cluster.local"
    compiler.set_service(service("alias", type="ExternalName", externalName=target), [])
    reply = ask(compiler.answerer, "alias.default.svc.cluster.local")
    assert [str(rrset) for rrset in reply.answer] == [
        f"alias.default.svc.cluster.local. 5 IN CNAME {target}.",
        f"{target}. 5 IN A 10.96.3.4",
    ]


def test_an_external_name_that_leads_nowhere_in_the_cluster_is_nxdomain(
    compiler: Compiler,
) -> None:
    target = "gone.default.svc.cluster.local"
    compiler.set_service(service("alias", type="ExternalName", externalName=target), [])
    reply = ask(compiler.answerer, "alias.default.svc.cluster.local")
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert data(reply) == [f"{target}."]


def test_aliases_in_a_circle_fail(compiler: Compiler) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        target = f"{other}.default.svc.cluster.local"
        compiler.set_service(service(one, type="ExternalName", externalName=target), [])
    reply = ask(compiler.answerer, "a.default.svc.cluster.local")
    assert reply.rcode() == dns.rcode.SERVFAIL


def test_an_external_name_that_is_no_name_gets_no_records(compiler: Compiler) -> None:
    compiler.set_service(service("bad", type="ExternalName", externalName="a..b"), [])
    assert is_nxdomain(ask(compiler.answerer, "bad.default.svc.cluster.local", "CNAME"))


def test_a_pods_address_has_a_name_in_an_existing_namespace(compiler: Compiler) -> None:
    name = "10-244-0-5.default.pod.cluster.local"
    assert data(ask(compiler.answerer, name)) == ["10.244.0.5"]
    assert is_nodata(ask(compiler.answerer, name, "AAAA"))
    assert is_nxdomain(ask(compiler.answerer, "10-244-0-5.nowhere.pod.cluster.local"))
    assert is_nxdomain(ask(compiler.answerer, "10-244-0-256.default.pod.cluster.local"))
    assert is_nxdomain(ask(compiler.answerer, "x.10-244-0-5.default.pod.cluster.local"))


def test_a_service_in_a_namespace_called_pod_gets_no_pod_names(compiler: Compiler) -> None:
    compiler.set_service(service("web", "pod", clusterIP="10.96.0.9"), [])
    assert is_nxdomain(ask(compiler.answerer, "10-0-0-1.web.pod.svc.cluster.local"))


@pytest.mark.parametrize(
    "name",
    [
        "cluster.local",
        "svc.cluster.local",
        "pod.cluster.local",
        "default.svc.cluster.local",
        "default.pod.cluster.local",
        "_tcp.web.default.svc.cluster.local",
        "dns.cluster.local",
    ],
)
def test_a_name_with_others_below_it_has_no_data(compiler: Compiler, name: str) -> None:
    add_web(compiler)
    assert is_nodata(ask(compiler.answerer, name))


@pytest.mark.parametrize(
    "name",
    [
        "nothing.default.svc.cluster.local",
        "nowhere.svc.cluster.local",
        "x.cluster.local",
        "example.com.default.svc.cluster.local",
        "a.web.default.svc.cluster.local",
    ],
)
def test_a_name_that_is_not_there_does_not_exist(compiler: Compiler, name: str) -> None:
    add_web(compiler)
    assert is_nxdomain(ask(compiler.answerer, name))


def test_what_is_deleted_leaves_no_name_behind(compiler: Compiler) -> None:
    compiler.set_service(service("web", "shop", clusterIP="10.96.0.9"), [])
    assert is_nodata(ask(compiler.answerer, "shop.svc.cluster.local"))
    compiler.forget_service("shop/web")
    assert is_nxdomain(ask(compiler.answerer, "shop.svc.cluster.local"))
    assert is_nxdomain(ask(compiler.answerer, "web.shop.svc.cluster.local"))
    compiler.set_namespace("default", present=False)
    assert is_nxdomain(ask(compiler.answerer, "default.svc.cluster.local"))


def test_the_zone_has_soa_ns_and_the_schemas_version(compiler: Compiler) -> None:
    reply = ask(compiler.answerer, "cluster.local", "SOA")
    assert reply.answer[0][0].mname == dns.name.from_text("ns.dns.cluster.local.")
    reply = ask(compiler.answerer, "cluster.local", "NS")
    assert data(reply) == ["ns.dns.cluster.local."]
    assert str(reply.additional[0]) == "ns.dns.cluster.local. 5 IN A 10.96.0.10"
    assert data(ask(compiler.answerer, "dns-version.cluster.local", "TXT")) == ['"1.1.0"']
    assert ask(compiler.answerer, "96.10.in-addr.arpa", "SOA").answer


def test_before_the_objects_are_known_the_clusters_names_fail(compiler: Compiler) -> None:
    add_web(compiler)
    compiler.answerer.synced = False
    for name in ("web.default.svc.cluster.local", "x.default.svc.cluster.local"):
        assert ask(compiler.answerer, name).rcode() == dns.rcode.SERVFAIL
    query = dns.message.make_query("example.com", "A")
    assert isinstance(compiler.answerer.answer(query.to_wire()), Forward)
