"""Writes what is tapped as a pcapng file: packets, the names of their addresses, and comments.

Each request's line stands as a comment at the packet that began it. Entries come
when their exchange is over, later than its packets; so packets are held back
for a moment, and the line of an exchange that took longer stands at its last
packet instead.
"""

from __future__ import annotations

import ipaddress
import os
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from pilotfish.client.invoker import as_owner_of
from pilotfish.client.visible import escape
from pilotfish.tap import packets
from pilotfish.tap.entry import Entry
from pilotfish.tap.files import pcapng_blocks
from pilotfish.tap.files.frame import CaptureFileError, Frame
from pilotfish.tap.formats.text import name_of

# How long packets wait for what is to be said about them, and how many at the most.
HOLD_S = 2.0
MAX_HELD = 50_000


class _Held:
    __slots__ = ("comments", "flow", "frame", "micros")

    def __init__(self, frame: Frame, flow: bytes) -> None:
        self.frame = frame
        self.flow = flow
        self.micros = round(frame.time_s * 1e6)
        self.comments: list[str] = []


class Recorder:
    """Writes one file; packets and entries may come in any mixture, each in order of time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held: deque[_Held] = deque()
        self._by_time: dict[tuple[bytes, int], _Held] = {}
        self._last: dict[bytes, _Held] = {}
        self._interfaces: dict[tuple[str, int], int] = {}
        self._named: set[str] = set()
        file.write(pcapng_blocks.section_header())

    def packet(self, frame: Frame) -> None:
        """Take a packet."""
        held = _Held(frame, flow_of(frame))
        self._held.append(held)
        if held.flow:
            self._by_time.setdefault((held.flow, held.micros), held)
            self._last[held.flow] = held
        while self._held and (
            len(self._held) > MAX_HELD or frame.time_s - self._held[0].frame.time_s > HOLD_S
        ):
            self._write(self._held.popleft())

    def entry(self, entry: Entry) -> None:
        """Take what was understood of packets."""
        self._name(entry["src"], entry["dst"], entry.get("endpoint"))
        there, back = flows_of(entry["src"], entry["dst"])
        begun = _micros(entry["timestamp"])
        # The time went through text: it may be one microsecond off.
        for micros in (begun, begun - 1, begun + 1):
            held = self._by_time.get((there, micros))
            if held is not None:
                break
        else:
            held = self._last.get(back) or self._last.get(there)
        if held is not None:
            held.comments.append(comment(entry))

    def close(self) -> None:
        """Write what is held; the file itself stays open."""
        while self._held:
            self._write(self._held.popleft())
        self._file.flush()

    def _write(self, held: _Held) -> None:
        frame = held.frame
        key = (frame.interface, frame.link_type)
        number = self._interfaces.get(key)
        if number is None:
            number = self._interfaces[key] = len(self._interfaces)
            self._file.write(pcapng_blocks.interface_description(*key))
        said = "\n".join(held.comments)
        self._file.write(pcapng_blocks.packet(number, frame.time_s, frame.data, frame.length, said))
        if self._by_time.get((held.flow, held.micros)) is held:
            del self._by_time[held.flow, held.micros]
        if self._last.get(held.flow) is held:
            del self._last[held.flow]

    def _name(self, *parties: dict[str, Any] | None) -> None:
        """Tell the reader the names of addresses that were not named before."""
        names = {
            party["ip"]: [name_of(party, namespaces=True)]
            for party in parties
            if party is not None
            and party["ip"] not in self._named
            and party.get("name", party["ip"]) != party["ip"]
        }
        if names:
            self._named.update(names)
            self._file.write(pcapng_blocks.name_resolution(names))


def private_file(path: Path) -> BinaryIO:
    """An empty file for packets, which hold what people say to each other.

    Behind sudo it is the person's. Raises CaptureFileError, or PermissionError.
    """
    try:
        with as_owner_of(path, os.environ):
            path.touch(mode=0o600)
            return path.open("wb")
    except PermissionError:
        raise
    except OSError as error:
        raise CaptureFileError(f"{path}: {error.strerror}") from error


def comment(entry: Entry) -> str:
    """An entry as the comment of a packet: who, whom, what."""
    parties = [entry["src"], entry["dst"]]
    endpoint = entry.get("endpoint")
    if endpoint and endpoint != entry["dst"]:
        parties.append(endpoint)
    way = " → ".join(escape(name_of(party, namespaces=True)) for party in parties)
    return f"{way}: {escape(entry['summary'])}"


def flow_of(frame: Frame) -> bytes:
    """Addresses and ports as they stand in the packet; b"" without any."""
    packet = packets.decode(frame.data, frame.link_type)
    if packet is None or packet.protocol not in (packets.TCP, packets.UDP):
        return b""
    return packet.source + packet.target + packet.payload[:4]


def flows_of(client: dict[str, Any], server: dict[str, Any]) -> tuple[bytes, bytes]:
    """The same of an entry's parties: client to server, and back."""
    (source, source_port), (target, target_port) = [
        (ipaddress.ip_address(party["ip"]).packed, int(party["port"]).to_bytes(2, "big"))
        for party in (client, server)
    ]
    return source + target + source_port + target_port, target + source + target_port + source_port


def _micros(timestamp: str) -> int:
    moment = datetime.fromisoformat(timestamp)
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond
