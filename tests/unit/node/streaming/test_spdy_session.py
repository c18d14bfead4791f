"""The life of streams on a SPDY connection."""

from __future__ import annotations

import pytest

from pilotfish.node.streaming.spdy_frames import (
    CANCEL,
    INVALID_STREAM,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_ALREADY_CLOSED,
    Data,
    Frame,
    FrameDecoder,
    FrameEncoder,
    GoAway,
    Headers,
    Ping,
    RstStream,
    SpdyError,
    SynReply,
    SynStream,
    WindowUpdate,
)
from pilotfish.node.streaming.spdy_session import (
    Event,
    SpdySession,
    StreamData,
    StreamEnded,
    StreamOpened,
    StreamReset,
)


class Conversation:
    """A session and the client that talks to it."""

    def __init__(self) -> None:
        self.session = SpdySession()
        self._encoder = FrameEncoder()
        self._decoder = FrameDecoder()

    def send(self, *frames: Frame) -> list[Event]:
        return self.session.receive(b"".join(self._encoder.encode(frame) for frame in frames))

    def answers(self) -> list[Frame]:
        return self._decoder.feed(self.session.take_outgoing())


def test_a_stream_is_opened_accepted_and_carries_bytes_both_ways() -> None:
    talk = Conversation()
    assert talk.send(SynStream(1, {"streamtype": "stdin"}), Data(1, b"in")) == [
        StreamOpened(1, {"streamtype": "stdin"}),
        StreamData(1, b"in"),
    ]
    talk.session.accept(1)
    assert talk.session.send_data(1, b"out")
    assert talk.answers() == [SynReply(1), Data(1, b"out")]


def test_each_half_of_a_stream_ends_by_itself() -> None:
    talk = Conversation()
    talk.send(SynStream(1))
    assert talk.send(Data(1, b"last", fin=True)) == [StreamData(1, b"last"), StreamEnded(1)]
    assert talk.session.send_data(1, b"answer", fin=True)
    assert not talk.session.send_data(1, b"too late")
    assert talk.answers() == [Data(1, b"answer", fin=True)]


def test_a_stream_may_be_opened_with_its_half_ended() -> None:
    assert Conversation().send(SynStream(1, fin=True)) == [StreamOpened(1, {}), StreamEnded(1)]


def test_headers_can_end_a_half_too() -> None:
    talk = Conversation()
    talk.send(SynStream(1))
    assert talk.send(Headers(1, {}, fin=True)) == [StreamEnded(1)]


def test_a_reset_drops_the_stream() -> None:
    talk = Conversation()
    talk.send(SynStream(1))
    assert talk.send(RstStream(1, CANCEL)) == [StreamReset(1)]
    assert not talk.session.send_data(1, b"nobody reads")
    assert talk.send(Data(1, b"late"), RstStream(1, CANCEL)) == []
    assert talk.answers() == []


def test_our_reset_is_sent_once() -> None:
    talk = Conversation()
    talk.send(SynStream(1))
    talk.session.reset(1)
    talk.session.reset(1)
    assert talk.answers() == [RstStream(1, CANCEL)]


def test_a_refused_stream_carries_nothing() -> None:
    talk = Conversation()
    talk.send(SynStream(1))
    talk.session.refuse(1)
    assert talk.send(Data(1, b"in flight")) == []
    assert talk.answers() == [RstStream(1, REFUSED_STREAM)]


def test_pings_of_the_client_come_back_and_others_do_not() -> None:
    talk = Conversation()
    talk.send(Ping(1), Ping(2), Ping(3))
    assert talk.answers() == [Ping(1), Ping(3)]


def test_data_of_a_stream_that_never_was_is_reset() -> None:
    talk = Conversation()
    assert talk.send(Data(9, b"?")) == []
    assert talk.answers() == [RstStream(9, INVALID_STREAM)]


def test_data_after_the_end_of_a_half_is_reset() -> None:
    talk = Conversation()
    talk.send(SynStream(1, fin=True))
    assert talk.send(Data(1, b"more")) == [StreamReset(1)]
    assert talk.answers() == [RstStream(1, STREAM_ALREADY_CLOSED)]


def test_a_stream_number_used_twice_ends_that_stream() -> None:
    talk = Conversation()
    talk.send(SynStream(1))
    assert talk.send(SynStream(1)) == [StreamReset(1)]
    assert talk.answers() == [RstStream(1, PROTOCOL_ERROR)]


@pytest.mark.parametrize("stream_id", [2, 3])
def test_stream_numbers_of_a_client_are_odd_and_increase(stream_id: int) -> None:
    talk = Conversation()
    talk.send(SynStream(5))
    with pytest.raises(SpdyError, match="out of order"):
        talk.send(SynStream(stream_id))


def test_windows_hold_nothing_up() -> None:
    talk = Conversation()
    talk.send(SynStream(1), WindowUpdate(1, 1))
    for _ in range(64):
        assert talk.session.send_data(1, b"x" * 4096)
    sent = [frame for frame in talk.answers() if isinstance(frame, Data)]
    assert sum(len(frame.data) for frame in sent) == 64 * 4096


def test_going_away_names_the_last_stream() -> None:
    talk = Conversation()
    talk.send(SynStream(7))
    talk.session.go_away()
    assert talk.answers() == [GoAway(7)]
