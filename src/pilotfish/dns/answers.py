"""From a query's packet to the reply's packet, or to the order to ask elsewhere. Pure.

The common case (a question of ours that has an answer, no EDNS or plain EDNS) is a look-up
without parsing; all else takes the longer way through `query.parse`, which also says what is
wrong with a packet. Both give the same bytes; the tests hold them to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilotfish.dns import wire
from pilotfish.dns.query import MAX_UDP_BYTES, BadQuery, Query, opt_record, parse
from pilotfish.dns.records import record_key
from pilotfish.dns.zone import Answer, Zones, compile_answer

_OURS = wire.AUTHORITATIVE | wire.RECURSION_AVAILABLE
# By rcode: what RD, AD and CD make of a reply's flags; other bits are for the longer way.
_REPLY_FLAGS = [
    {
        (rd | ad | cd).to_bytes(2, "big"): (wire.QR | _OURS | rd | cd | rcode).to_bytes(2, "big")
        for rd in (0, wire.RECURSION_DESIRED)
        for ad in (0, wire.AUTHENTIC_DATA)
        for cd in (0, wire.CHECKING_DISABLED)
    }
    for rcode in range(wire.NXDOMAIN + 1)
]
_ONE_QUESTION = b"\0\1\0\0\0\0"
_OPT_TYPE = b"\0\0\x29"
_OUR_OPT = opt_record(0, dnssec_ok=False)
_OPT_BYTES = len(_OUR_OPT)
_PLAIN_UDP_BYTES = 512

_MAX_ALIASES = 8  # CNAMEs that are followed within the cluster
_DASHED_IPV4 = re.compile(rb"(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Forward:
    """The order to ask a resolver for `question` (name, type, class).

    `aliases` are the CNAME records that led from the query's name to the question's; the reply
    has them before what the resolver answers.
    """

    query: Query
    question: bytes
    aliases: tuple[bytes, ...] = ()


class Answerer:
    """Replies to queries from the compiled zones; until `synced`, SERVFAIL for what is theirs."""

    def __init__(self, zones: Zones, domain: str) -> None:
        self.zones = zones
        self._pod_domain = wire.encode_name(f"pod.{domain}")
        self.synced = False

    def answer(self, packet: bytes, stream: bool = False) -> bytes | Forward | None:
        """The reply to a packet; None to stay silent. `stream`: it came over TCP."""
        # The first zero byte ends the name, unless the packet is odd; then nothing is found.
        end = packet.find(b"\0", wire.HEADER_BYTES) + 1
        key = packet[wire.HEADER_BYTES : end].lower() + packet[end : end + 4]
        found = self.zones.ready.get(key) or self.zones.worked_out.get(key)
        if found is not None and self.synced:
            reply = _quick_reply(packet, stream, found, end + 4)
            if reply is not None:
                return reply
        try:
            query = parse(packet, stream)
        except BadQuery as bad:
            return bad.reply
        return None if query is None else self._reply(query)

    def _reply(self, query: Query) -> bytes | Forward:
        if query.kind == wire.OPT:
            return query.reply(wire.FORMERR, 0, bytes(6), b"")
        if query.kind in (wire.AXFR, wire.IXFR) or query.qclass not in (wire.IN, wire.ANY):
            return query.reply(wire.REFUSED, 0, bytes(6), b"")
        if query.kind in (wire.MAILA, wire.MAILB):
            return query.reply(wire.NOTIMP, 0, bytes(6), b"")
        name = query.name
        aliases: list[bytes] = []
        owner = wire.QUESTION_NAME
        while True:
            answer = self._find(name, query.kind)
            if answer is None:
                question = (name if aliases else query.question[:-4]) + query.question[-4:]
                return Forward(query, question, tuple(aliases))
            if not self.synced:
                return query.reply(wire.SERVFAIL, 0, bytes(6), b"")
            alias = self.zones.data(name, wire.CNAME)
            if not alias or query.kind in (wire.CNAME, wire.ANY) or len(aliases) == _MAX_ALIASES:
                break
            aliases += self.zones.records(name, wire.CNAME, owner)
            # A name's case is kept where it is shown and does not count where it is looked up.
            owner = alias[0].data
            name = owner.lower()
        if aliases:
            if len(aliases) == _MAX_ALIASES:
                return query.reply(wire.SERVFAIL, _OURS, bytes(6), b"")
            answer = _behind(aliases, owner, answer)
        else:
            self.zones.remember(query.name + query.question[-4:], answer)
        return fit(query, answer, _OURS)

    def _find(self, name: bytes, kind: int) -> Answer | None:
        """The answer for a name of ours; None for one that is not."""
        ready = self.zones.ready
        if kind == wire.ANY:
            # Any one set of records will do (RFC 8482 section 4.1).
            kinds = (wire.A, wire.AAAA, wire.CNAME, wire.SRV, wire.PTR, wire.TXT, wire.SOA)
            for one in kinds:
                found = ready.get(record_key(name, one))
                if found:
                    return found
        found = ready.get(record_key(name, kind))
        if found:
            return found
        negative = self.zones.negative(name)
        if negative is None:
            # A headless Service's endpoints may have addresses from anywhere.
            if not self.zones.data(name, wire.PTR):
                return None
            return compile_answer()
        if self.zones.has_name(name):
            return negative.no_data
        address = self._pod_address(name)
        if address is None:
            return negative.no_name
        if kind not in (wire.A, wire.ANY):
            return negative.no_data
        return compile_answer([wire.record(wire.QUESTION_NAME, wire.A, self.zones.ttl_s, address)])

    def _pod_address(self, name: bytes) -> bytes | None:
        """The address that a Pod's name spells: 10-244-0-5.NAMESPACE.pod.DOMAIN.

        Whether there is such a Pod is not asked (specification section 2.6; CoreDNS with "pods
        insecure", as kubeadm sets it up), but the namespace must exist.
        """
        parent = name[1 + name[0] :]
        if parent[1 + parent[0] :] != self._pod_domain or not self.zones.has_name(parent):
            return None
        spelled = _DASHED_IPV4.fullmatch(name[1 : 1 + name[0]])
        if spelled is None or any(int(byte) > 255 for byte in spelled.groups()):
            return None
        return bytes(int(byte) for byte in spelled.groups())


def _quick_reply(packet: bytes, stream: bool, answer: Answer, end: int) -> bytes | None:
    """The reply to a packet whose question ends at `end`, when all is as it mostly is."""
    flags = _REPLY_FLAGS[answer.rcode].get(packet[2:4])
    if flags is None or packet[4:10] != _ONE_QUESTION:
        return None
    counts = answer.counts
    opt = b""
    limit = _PLAIN_UDP_BYTES
    if packet[10:12] == b"\0\0":
        if len(packet) != end:
            return None
    else:
        # One OPT record without options, version 0, no DO: only its size can differ from ours.
        if len(packet) != end + _OPT_BYTES or packet[10:12] != b"\0\1":
            return None
        if packet[end : end + 3] != _OPT_TYPE or packet[end + 5 :] != bytes(6):
            return None
        offered = int.from_bytes(packet[end + 3 : end + 5], "big")
        limit = min(max(offered, _PLAIN_UDP_BYTES), MAX_UDP_BYTES) - _OPT_BYTES
        counts = counts[:4] + (int.from_bytes(counts[4:], "big") + 1).to_bytes(2, "big")
        opt = _OUR_OPT
    if end + len(answer.body) > limit and not stream:
        return None
    question = packet[wire.HEADER_BYTES : end]
    return b"".join((packet[:2], flags, b"\0\1", counts, question, answer.next_body(), opt))


def fit(query: Query, answer: Answer, flags: int) -> bytes:
    """The reply, with as many whole records as the asker can take.

    Additional records may go without a word; if others go, TC says so (RFC 2181 section 9).
    """
    room = query.room
    if len(answer.body) <= room:
        return query.reply(answer.rcode, flags, answer.counts, answer.next_body())
    kept: list[int] = []
    body = b""
    for number, section in enumerate(answer.sections()):
        count = 0
        for record in section:
            if len(body) + len(record) > room:
                break
            body += record
            count += 1
        kept.append(count)
        if count < len(section):
            if number < 2:
                flags |= wire.TRUNCATED
            break
    kept += [0] * (3 - len(kept))
    counts = b"".join(count.to_bytes(2, "big") for count in kept)
    return query.reply(answer.rcode, flags, counts, body)


def _behind(aliases: list[bytes], owner: bytes, answer: Answer) -> Answer:
    """What the last alias leads to, behind the aliases."""
    records, authorities, _additionals = answer.sections()
    # Compiled records are owned by the question's name, a pointer of two bytes.
    records = [owner + record[len(wire.QUESTION_NAME) :] for record in records]
    return compile_answer([*aliases, *records], authorities, rcode=answer.rcode)
