"""Packets and requests a second from one capture file on one core, beside tshark.

The file: fifty keep-alive connections, on each an HTTP request, its answer and
an acknowledgement, again and again. Both programs tell the same fields of each
request. Memory is looked at while ten million packets go by.
"""

from __future__ import annotations

import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Report, Row

REQUESTS = 300_000
CONNECTIONS = 50
MEMORY_PACKETS = 10_000_000

FIELDS = (
    "frame.time_epoch",
    "ip.src",
    "ip.dst",
    "http.request.method",
    "http.request.uri",
    "http.response.code",
    "http.time",
)
_REQUEST = b"GET /demo/hello?x=1 HTTP/1.1\r\nHost: api\r\nUser-Agent: wrk\r\nAccept: */*\r\n\r\n"
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\nhello world\n"
)
_CLIENT, _SERVER = bytes((10, 244, 0, 5)), bytes((10, 244, 1, 7))

# One process on one core each: what the dissection gives, and a line for each request.
_OURS = """
import sys
from pathlib import Path
from pilotfish.tap.identity import Identity
from pilotfish.tap.reading import read_entries
def show(entry):
    src, dst = entry["src"], entry["dst"]
    print(entry["timestamp"], src["ip"], dst["ip"], entry["method"], entry["url"],
          entry["status_code"], entry["elapsed_time"], sep="\\t")
read_entries(Path(sys.argv[1]), Identity(), show)
"""
_DISSECTED = """
import sys
from pathlib import Path
from pilotfish.tap.dissection import Dissection
from pilotfish.tap.files.reader import read_frames
dissection = Dissection(lambda _exchange: None)
for frame in read_frames(Path(sys.argv[1])):
    dissection.feed(frame.time_s, frame.data, frame.link_type)
"""


def run() -> Report:
    """Dissect one file with both programs, then watch memory."""
    if shutil.which("tshark") is None:
        raise SystemExit("tshark is not installed; install it with: apt-get install -y tshark")
    report = Report("The tap: packets and requests a second from a capture file, one core")
    with tempfile.TemporaryDirectory(prefix="pilotfish-bench-") as folder:
        path = Path(folder) / "http.pcap"
        packets = _write(path)
        show = [part for field in FIELDS for part in ("-e", field)]
        theirs_s = _time(["tshark", "-r", str(path), "-Y", "http", "-T", "fields", *show])
        ours_s = _time([sys.executable, "-c", _OURS, str(path)])
        dissected_s = _time([sys.executable, "-c", _DISSECTED, str(path)])
    for what, taken_s, goal in (
        ("read, dissected, each request told with its fields", ours_s, "5"),
        ("read and dissected", dissected_s, ""),
    ):
        report.rows.append(
            Row(
                what,
                f"{packets / taken_s:,.0f} packets/s, {REQUESTS / taken_s:,.0f} requests/s",
                f"tshark, the same fields: {packets / theirs_s:,.0f} packets/s, "
                f"{REQUESTS / theirs_s:,.0f} requests/s",
                theirs_s / taken_s,
                goal,
            )
        )
    early, late = _memory()
    report.rows.append(
        Row(
            f"memory after {MEMORY_PACKETS / 1e6:.0f} million packets",
            f"{late / 1e6:.1f} MB",
            f"after the first tenth of them: {early / 1e6:.1f} MB",
            late / early,
            "1",
        )
    )
    return report


def _time(command: list[str]) -> float:
    """Seconds of one core: processor time, which others on the machine do not change."""
    core = min(os.sched_getaffinity(0))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        ["taskset", "-c", str(core), *command],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _write(path: Path) -> int:
    """Write the file; the number of its packets."""
    count, time_s = 0, 1000.0
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for frame in _frames(REQUESTS):
            micros = int(time_s % 1 * 1e6)
            file.write(struct.pack("<IIII", int(time_s), micros, len(frame), len(frame)) + frame)
            count, time_s = count + 1, time_s + 5e-6
    return count


def _frames(requests: int) -> Iterator[bytes]:
    """Handshakes, then request after request, on the connections in turn."""
    positions = [[1, 1] for _ in range(CONNECTIONS)]
    for port in range(40000, 40000 + CONNECTIONS):
        yield _frame(port, True, 0, 0, 0x02)
        yield _frame(port, False, 0, 1, 0x12)
        yield _frame(port, True, 1, 1, 0x10)
    for number in range(requests):
        port, position = 40000 + number % CONNECTIONS, positions[number % CONNECTIONS]
        yield _frame(port, True, position[0], position[1], 0x18, _REQUEST)
        position[0] += len(_REQUEST)
        yield _frame(port, False, position[1], position[0], 0x18, _RESPONSE)
        position[1] += len(_RESPONSE)
        yield _frame(port, True, position[0], position[1], 0x10)


def _frame(
    port: int, from_client: bool, seq: int, ack: int, flags: int, payload: bytes = b""
) -> bytes:
    """An Ethernet frame of one connection; sequence numbers wrap around."""
    ports = (port, 80) if from_client else (80, port)
    seq, ack = seq % (1 << 32), ack % (1 << 32)
    tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x50, flags, 500, 0, 0) + payload
    ends = (_CLIENT, _SERVER) if from_client else (_SERVER, _CLIENT)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0) + b"".join(ends)
    return bytes(12) + b"\x08\x00" + ip + tcp


def _memory() -> tuple[int, int]:
    """The most memory ever used, after a tenth of the packets and after all of them; bytes."""
    # In a process of its own: this one has been larger before.
    program = "from benchmarks.tap_file import watch_memory; watch_memory()"
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=root
    )
    early, late = map(int, done.stdout.split())
    return early, late


def watch_memory() -> None:
    """Dissect, and print the peaks."""
    from pilotfish.tap.dissection import Dissection

    dissection = Dissection(lambda _exchange: None)
    time_s = 1000.0
    for number, frame in enumerate(_frames(MEMORY_PACKETS // 3), 1):
        time_s += 5e-6
        dissection.feed(time_s, frame)
        if number == MEMORY_PACKETS // 10:
            print(_peak())
    print(_peak())


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
