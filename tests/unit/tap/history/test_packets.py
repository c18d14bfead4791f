"""Packets that were recorded can be had again, all or those of some connections."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pilotfish.tap.files.frame import Frame
from pilotfish.tap.files.recorder import flow_of
from pilotfish.tap.history import packets
from pilotfish.tap.history.packets import PacketHistory, PacketView
from support.wire import tcp

CLIENT, SERVICE, POD = ("10.244.0.5", 40000), ("10.96.0.20", 80), ("10.244.1.7", 8080)
NOON_US = 1_767_268_800_000_000


def frame(second: float, data: bytes) -> Frame:
    return Frame(NOON_US / 1e6 + second, data, len(data), 1, "eth0")


def recorded(folder: Path, *frames: Frame) -> PacketView:
    history = PacketHistory(folder)
    for each in frames:
        history.record(each)
    history.close()
    return PacketView(folder)


@given(
    st.builds(
        Frame,
        st.floats(0, 1e10),
        st.binary(max_size=3000),
        st.integers(0, 1 << 24),
        st.sampled_from([1, 101, 113, 276]),
        st.text(max_size=15),
    )
)
def test_a_packet_comes_back_as_it_was(given_: Frame) -> None:
    assert packets.decode(packets.encode(given_)) == given_


def test_packets_come_in_order_of_time_whichever_node_told_them_first(tmp_path: Path) -> None:
    one, two, three = (frame(each, tcp(CLIENT, SERVICE, 1)) for each in (0.1, 0.2, 0.3))
    view = recorded(tmp_path, two, three, one)
    assert list(view.frames()) == [one, two, three]
    assert list(view.frames(NOON_US + 150_000, NOON_US + 250_000)) == [two]


def test_packets_of_some_connections_are_had_for_a_time_each(tmp_path: Path) -> None:
    there, back = frame(1, tcp(CLIENT, SERVICE, 1)), frame(2, tcp(SERVICE, CLIENT, 1))
    other = frame(3, tcp(CLIENT, POD, 1))
    no_ports = frame(4, b"\0" * 60)
    late = frame(9, tcp(CLIENT, SERVICE, 9))
    view = recorded(tmp_path, there, back, other, no_ports, late)
    window = (NOON_US, NOON_US + 5_000_000)
    flows = {flow_of(there): window, flow_of(back): window}
    assert list(view.frames(flows=flows)) == [there, back]


def test_packets_and_entries_are_bounded_apart(tmp_path: Path) -> None:
    view = recorded(tmp_path, frame(0, b"\0" * 60))
    assert [path.name for path in tmp_path.iterdir()] == ["packets"]
    span = view.span()
    assert span is not None
    assert span[:3] == (NOON_US, NOON_US, 1)
