"""Replies to queries about Services, as a resolver library sees them."""

from __future__ import annotations

from typing import Any

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
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.dns.answers import Answerer, Forward
from pilotfish.dns.compiler import Compiler

DOMAIN = "cluster.local"


def service(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def slice_of(
    name: str,
    endpoints: list[dict[str, Any]],
    ports: list[dict[str, Any]] | None = None,
    family: str = "IPv4",
    number: int = 1,
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{name}-{number}",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": family,
        "endpoints": endpoints,
        "ports": ports or [],
    }


def endpoint(*addresses: str, ready: bool | None = True, hostname: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"addresses": list(addresses), "conditions": {}}
    if ready is not None:
        found["conditions"]["ready"] = ready
    if hostname:
        found["hostname"] = hostname
    return found


@pytest.fixture
def compiler() -> Compiler:
    compiler = Compiler(DOMAIN, "10.96.0.10", ["10.96.0.0/12", "10.244.0.0/16"])
    compiler.set_namespace("default", present=True)
    compiler.answerer.synced = True
    return compiler


def add_web(compiler: Compiler) -> None:
    ports = [
        {"name": "http", "port": 80, "protocol": "TCP"},
        {"name": "sip", "port": 5060, "protocol": "UDP"},
    ]
    compiler.set_service(
        service("web", clusterIP="10.96.3.4", clusterIPs=["10.96.3.4"], ports=ports), []
    )


def add_headless(compiler: Compiler, *endpoints: dict[str, Any], **spec: Any) -> None:
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    slices = [slice_of("db", list(endpoints), ports)]
    compiler.set_service(service("db", clusterIP="None", **spec), slices)


def ask(
    answerer: Answerer, name: str, kind: str = "A", stream: bool = False, **options: Any
) -> dns.message.Message:
    query = dns.message.make_query(name, kind, **options)
    reply = answerer.answer(query.to_wire(), stream)
    assert isinstance(reply, bytes)
    parsed = dns.message.from_wire(reply)
    assert query.is_response(parsed)
    return parsed


def data(reply: dns.message.Message) -> list[str]:
    return sorted(str(item) for rrset in reply.answer for item in rrset)


def is_nxdomain(reply: dns.message.Message) -> bool:
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]
    assert not reply.answer
    return reply.rcode() == dns.rcode.NXDOMAIN


def is_nodata(reply: dns.message.Message) -> bool:
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]
    assert not reply.answer
    return reply.rcode() == dns.rcode.NOERROR


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


def test_edns_is_answered_with_edns(compiler: Compiler) -> None:
    add_web(compiler)
    for name in ("web.default.svc.cluster.local", "no.default.svc.cluster.local"):
        reply = ask(compiler.answerer, name, use_edns=0, payload=4096)
        assert (reply.edns, reply.payload) == (0, 1232)
        assert not reply.ednsflags & dns.flags.DO
        assert ask(compiler.answerer, name, want_dnssec=True).ednsflags & dns.flags.DO
        assert ask(compiler.answerer, name).edns == -1


def test_edns_options_are_taken_and_ignored(compiler: Compiler) -> None:
    add_web(compiler)
    options = [dns.edns.GenericOption(10, b"12345678")]
    reply = ask(compiler.answerer, "web.default.svc.cluster.local", options=options)
    assert data(reply) == ["10.96.3.4"]


def test_a_later_edns_version_is_badvers(compiler: Compiler) -> None:
    add_web(compiler)
    reply = ask(compiler.answerer, "web.default.svc.cluster.local", use_edns=1)
    assert reply.rcode() == dns.rcode.BADVERS
    assert reply.edns == 0


def test_a_reply_too_large_for_udp_is_cut_at_a_record_and_says_so(compiler: Compiler) -> None:
    add_headless(compiler, *(endpoint(f"10.244.0.{n}") for n in range(1, 201)))
    name = "db.default.svc.cluster.local"
    cut = ask(compiler.answerer, name)
    assert cut.flags & dns.flags.TC
    assert len(cut.answer[0]) == (512 - 12 - 34) // 16
    assert len(ask(compiler.answerer, name, use_edns=0, payload=4096).answer[0]) == 73
    whole = ask(compiler.answerer, name, stream=True)
    assert not whole.flags & dns.flags.TC
    assert len(whole.answer[0]) == 200


def test_a_cut_reply_does_not_always_hold_the_same_addresses(compiler: Compiler) -> None:
    add_headless(compiler, *(endpoint(f"10.244.0.{n}") for n in range(1, 101)))
    seen = {
        address
        for _ in range(100)
        for address in data(ask(compiler.answerer, "db.default.svc.cluster.local"))
    }
    assert len(seen) == 100


def test_additional_records_that_do_not_fit_go_without_truncation(compiler: Compiler) -> None:
    add_headless(compiler, *(endpoint(f"10.244.0.{n}", hostname=f"d{n}") for n in range(1, 9)))
    reply = ask(compiler.answerer, "_http._tcp.db.default.svc.cluster.local", "SRV")
    assert not reply.flags & dns.flags.TC
    assert len(reply.answer[0]) == 8
    assert len(reply.additional) < 8


def test_replies_and_scraps_are_met_with_silence(compiler: Compiler) -> None:
    query = dns.message.make_query("web.default.svc.cluster.local", "A")
    query.flags |= dns.flags.QR
    assert compiler.answerer.answer(query.to_wire()) is None
    assert compiler.answerer.answer(b"") is None
    assert compiler.answerer.answer(b"12345678901") is None


def rcode_of(reply: bytes | Forward | None) -> dns.rcode.Rcode:
    assert isinstance(reply, bytes)
    return dns.message.from_wire(reply).rcode()


def test_another_opcode_is_not_implemented(compiler: Compiler) -> None:
    query = dns.message.make_query("web.default.svc.cluster.local", "A")
    query.set_opcode(dns.opcode.STATUS)
    assert rcode_of(compiler.answerer.answer(query.to_wire())) == dns.rcode.NOTIMP


def test_no_question_and_two_questions_are_format_errors(compiler: Compiler) -> None:
    packet = dns.message.make_query("web.default.svc.cluster.local", "A").to_wire()
    none = packet[:4] + bytes(8)
    assert rcode_of(compiler.answerer.answer(none)) == dns.rcode.FORMERR
    two = packet[:4] + b"\0\2" + packet[6:] + packet[12:]
    assert rcode_of(compiler.answerer.answer(two)) == dns.rcode.FORMERR


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packet: packet[:-1],
        lambda packet: packet + b"x",
        lambda packet: packet[:12] + b"\xc0\x0c" + packet[-4:],
        lambda packet: packet[:12] + b"\x3f" * 300 + b"\0" + packet[-4:],
        lambda packet: packet[:12] + (b"\x3f" + b"a" * 63) * 4 + b"\0" + packet[-4:],
        lambda packet: packet[:10] + b"\0\1" + packet[12:],
        lambda packet: packet[:10] + b"\0\2" + packet[12:] + (b"\0\0\x29" + bytes(8)) * 2,
        lambda packet: packet[:6] + b"\0\1" + packet[8:] + b"\0\0\x29" + bytes(8),
        lambda packet: packet[:10] + b"\0\1" + packet[12:] + b"\1a\0\0\x29" + bytes(8),
        lambda packet: packet[:10] + b"\0\1" + packet[12:] + b"\0\0\x29" + bytes(7) + b"\3abc",
    ],
    ids=[
        "cut",
        "longer",
        "compressed",
        "reserved label",
        "long name",
        "no OPT",
        "two OPT",
        "OPT as answer",
        "OPT with name",
        "cut option",
    ],
)
def test_a_malformed_packet_is_a_format_error(compiler: Compiler, spoil: Any) -> None:
    add_web(compiler)
    packet = dns.message.make_query("web.default.svc.cluster.local", "A").to_wire()
    reply = compiler.answerer.answer(spoil(packet))
    assert isinstance(reply, bytes)
    assert (reply[:2], reply[3] & 15) == (packet[:2], dns.rcode.FORMERR)


def test_zone_transfers_and_other_classes_are_refused(compiler: Compiler) -> None:
    for query in (
        dns.message.make_query("cluster.local", "AXFR"),
        dns.message.make_query("version.bind", "TXT", rdclass=dns.rdataclass.CH),
    ):
        assert rcode_of(compiler.answerer.answer(query.to_wire())) == dns.rcode.REFUSED


def test_any_gets_one_set_of_records(compiler: Compiler) -> None:
    add_web(compiler)
    assert data(ask(compiler.answerer, "web.default.svc.cluster.local", "ANY")) == ["10.96.3.4"]


def test_a_remembered_answer_is_the_same_and_forgotten_with_the_next_change(
    compiler: Compiler,
) -> None:
    add_web(compiler)
    for name in ("db.default.svc.cluster.local", "default.svc.cluster.local"):
        for options in ({}, {"use_edns": 0}, {"flags": 0}):
            query = dns.message.make_query(name, "A", id=7, **options).to_wire()
            first = compiler.answerer.answer(query)
            assert compiler.answerer.answer(query) == first
    add_headless(compiler, endpoint("10.244.0.5"))
    assert data(ask(compiler.answerer, "db.default.svc.cluster.local")) == ["10.244.0.5"]


def test_the_quick_way_and_the_longer_way_give_the_same_bytes(compiler: Compiler) -> None:
    add_web(compiler)
    for options in ({}, {"use_edns": 0, "payload": 512}, {"use_edns": 0, "payload": 4096}):
        for name, kind in (
            ("web.default.svc.cluster.local", "A"),
            ("_http._tcp.web.default.svc.cluster.local", "SRV"),
            ("no.default.svc.cluster.local", "A"),
        ):
            message = dns.message.make_query(name, kind, id=7, **options)
            quick = [compiler.answerer.answer(message.to_wire()) for _ in range(2)]
            # A reserved bit of the flags, which must be ignored, is not for the quick way.
            longer = message.to_wire()[:3] + b"\x40" + message.to_wire()[4:]
            assert [compiler.answerer.answer(longer)] * 2 == quick


@given(st.binary(max_size=600))
def test_garbage_never_raises(packet: bytes) -> None:
    check_garbage(packet)


@given(
    st.binary(min_size=2, max_size=2),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
    st.binary(max_size=300),
)
def test_garbage_behind_a_plausible_header_never_raises(
    id_: bytes, counts: list[int], rest: bytes
) -> None:
    header = id_ + b"\1\0" + b"".join(count.to_bytes(2, "big") for count in counts)
    check_garbage(header + rest)


@given(st.data())
def test_a_query_with_a_spoiled_byte_never_raises(draw: st.DataObject) -> None:
    query = dns.message.make_query("web.default.svc.cluster.local", "A", use_edns=0)
    packet = bytearray(query.to_wire())
    packet[draw.draw(st.integers(0, len(packet) - 1))] = draw.draw(st.integers(0, 255))
    check_garbage(bytes(packet))


GARBAGE_COMPILER = Compiler(DOMAIN, "10.96.0.10", ["10.96.0.0/12"])
add_web(GARBAGE_COMPILER)
GARBAGE_COMPILER.answerer.synced = True


def check_garbage(packet: bytes) -> None:
    for stream in (False, True):
        reply = GARBAGE_COMPILER.answerer.answer(packet, stream)
        if isinstance(reply, bytes):
            assert reply[:2] == packet[:2]
            assert reply[2] & 0x80
            dns.message.from_wire(reply)
        elif reply is None:
            assert len(packet) < 12 or packet[2] & 0x80
