"""SPDY/3.1 frames: bytes to frames and back, with compressed header blocks.

Source: "SPDY Protocol - Draft 3.1", section 2.2 (framing) and 2.6 (control frames). All
numbers are big-endian. A frame has 8 bytes of head; the first bit tells its kind:

    control   |1| version 15 = 3 | type 16 |  flags 8 | length 24 |  payload
    data      |0| stream id 31             |  flags 8 | length 24 |  payload

Header blocks (2.6.10) are a count and length-prefixed names and values, compressed with
zlib. The compression context lives as long as the connection, one for each direction, so
blocks must be decoded in the order in which they were encoded; each ends in a sync flush.

A data frame may be 16 MB long. The decoder does not wait for its end but hands out pieces as
they arrive, so that nobody can make this process hold more than what a socket read returns.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

VERSION = 3
FLAG_FIN = 0x01
FLAG_UNIDIRECTIONAL = 0x02

# Statuses of RST_STREAM, draft 2.6.3.
PROTOCOL_ERROR = 1
INVALID_STREAM = 2
REFUSED_STREAM = 3
CANCEL = 5
STREAM_ALREADY_CLOSED = 9

# Statuses of GOAWAY, draft 2.6.6.
GOAWAY_OK = 0
GOAWAY_PROTOCOL_ERROR = 1

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _SETTINGS = 1, 2, 3, 4
_PING, _GOAWAY, _HEADERS, _WINDOW_UPDATE = 6, 7, 8, 9

_HEAD = struct.Struct("!HHI")
_WORD = struct.Struct("!I")
_STREAM_ID = 0x7FFFFFFF

# Kubernetes' header blocks hold a handful of short values.
MAX_CONTROL_BYTES = 64 * 1024
MAX_HEADER_BLOCK_BYTES = 64 * 1024

_NAMES = (
    "options,head,post,put,delete,trace,accept,accept-charset,accept-encoding,accept-language,"
    "accept-ranges,age,allow,authorization,cache-control,connection,content-base,"
    "content-encoding,content-language,content-length,content-location,content-md5,"
    "content-range,content-type,date,etag,expect,expires,from,host,if-match,if-modified-since,"
    "if-none-match,if-range,if-unmodified-since,last-modified,location,max-forwards,pragma,"
    "proxy-authenticate,proxy-authorization,range,referer,retry-after,server,te,trailer,"
    "transfer-encoding,upgrade,user-agent,vary,via,warning,www-authenticate,method,get,status,"
    "200 OK,version,HTTP/1.1,url,public,set-cookie,keep-alive,origin"
)
_VALUES = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
    "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
# The zlib dictionary that both ends preset, draft 2.6.10.1; its Adler-32 is 0xe3c6a7c2.
DICTIONARY = (
    b"".join(_WORD.pack(len(name)) + name.encode() for name in _NAMES.split(",")) + _VALUES.encode()
)


class SpdyError(Exception):
    """The peer broke the protocol: the whole connection is lost (draft 2.4.1)."""


@dataclass(frozen=True, slots=True)
class SynStream:
    """Opens stream `stream_id`; `fin` when the opener will send nothing on it."""

    stream_id: int
    headers: dict[str, str] = field(default_factory=dict)
    fin: bool = False
    unidirectional: bool = False


@dataclass(frozen=True, slots=True)
class SynReply:
    """Accepts a stream."""

    stream_id: int
    headers: dict[str, str] = field(default_factory=dict)
    fin: bool = False


@dataclass(frozen=True, slots=True)
class RstStream:
    """Ends a stream in both directions at once; what is in flight may be dropped."""

    stream_id: int
    status: int


@dataclass(frozen=True, slots=True)
class Ping:
    """Wants the same frame back."""

    ping_id: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """The sender will accept no further streams."""

    last_stream_id: int
    status: int = GOAWAY_OK


@dataclass(frozen=True, slots=True)
class Headers:
    """More headers of an open stream."""

    stream_id: int
    headers: dict[str, str]
    fin: bool = False


@dataclass(frozen=True, slots=True)
class WindowUpdate:
    """Credit for `delta` bytes more on a stream."""

    stream_id: int
    delta: int


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream; decoded, it may be a piece of a frame (`fin` on the last one)."""

    stream_id: int
    data: bytes
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """A control frame that has no meaning here (SETTINGS, CREDENTIAL, later types)."""

    type: int


Frame = SynStream | SynReply | RstStream | Ping | GoAway | Headers | WindowUpdate | Data | Unknown


class FrameEncoder:
    """Turns frames into bytes; keeps the compression context of one direction."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(zdict=DICTIONARY)

    def encode(self, frame: Frame) -> bytes:
        """The frame's bytes. Frames must be sent in the order in which they were encoded."""
        match frame:
            case Data(stream_id, data, fin):
                head = _WORD.pack(stream_id) + _WORD.pack(_flags(fin) << 24 | len(data))
                return head + data
            case SynStream(stream_id, headers, fin, unidirectional):
                flags = _flags(fin) | (FLAG_UNIDIRECTIONAL if unidirectional else 0)
                # Associated stream 0; priority 0, unused, slot 0.
                payload = _WORD.pack(stream_id) + _WORD.pack(0) + b"\0\0"
                return _control(_SYN_STREAM, payload + self._header_block(headers), flags)
            case SynReply(stream_id, headers, fin):
                payload = _WORD.pack(stream_id) + self._header_block(headers)
                return _control(_SYN_REPLY, payload, _flags(fin))
            case Headers(stream_id, headers, fin):
                payload = _WORD.pack(stream_id) + self._header_block(headers)
                return _control(_HEADERS, payload, _flags(fin))
            case RstStream(stream_id, status):
                return _control(_RST_STREAM, _WORD.pack(stream_id) + _WORD.pack(status))
            case Ping(ping_id):
                return _control(_PING, _WORD.pack(ping_id))
            case GoAway(last_stream_id, status):
                return _control(_GOAWAY, _WORD.pack(last_stream_id) + _WORD.pack(status))
            case WindowUpdate(stream_id, delta):
                return _control(_WINDOW_UPDATE, _WORD.pack(stream_id) + _WORD.pack(delta))
            case Unknown(type_):
                return _control(type_, b"")

    def _header_block(self, headers: dict[str, str]) -> bytes:
        parts = [_WORD.pack(len(headers))]
        for name, value in headers.items():
            for text in (name.lower().encode(), value.encode()):
                parts += (_WORD.pack(len(text)), text)
        compressed = self._compressor.compress(b"".join(parts))
        return compressed + self._compressor.flush(zlib.Z_SYNC_FLUSH)


class FrameDecoder:
    """Turns bytes, in pieces of any size, into frames; keeps the decompression context."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._decompressor = zlib.decompressobj(zdict=DICTIONARY)
        # The data frame whose payload is still arriving.
        self._data_stream_id = 0
        self._data_left = 0
        self._data_fin = False

    def feed(self, data: bytes) -> list[Frame]:
        """Frames that `data` completes. Raises SpdyError; the decoder is then of no more use."""
        self._buffer += data
        frames: list[Frame] = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        buffer = self._buffer
        if self._data_left:
            return self._data_piece()
        if len(buffer) < _HEAD.size:
            return None
        first, second, third = _HEAD.unpack_from(buffer)
        flags, length = third >> 24, third & 0xFFFFFF
        if not first & 0x8000:
            del buffer[: _HEAD.size]
            self._data_stream_id = (first << 16 | second) & _STREAM_ID
            self._data_left = length
            self._data_fin = bool(flags & FLAG_FIN)
            return self._data_piece() if length else self._empty_data()
        if first & 0x7FFF != VERSION:
            raise SpdyError(f"SPDY version {first & 0x7FFF} is not supported")
        if length > MAX_CONTROL_BYTES:
            raise SpdyError(f"a control frame of {length} bytes is too long")
        if len(buffer) < _HEAD.size + length:
            return None
        payload = bytes(buffer[_HEAD.size : _HEAD.size + length])
        del buffer[: _HEAD.size + length]
        return self._control_frame(second, flags, payload)

    def _empty_data(self) -> Data:
        return Data(self._data_stream_id, b"", self._data_fin)

    def _data_piece(self) -> Data | None:
        if not self._buffer:
            return None
        piece = bytes(self._buffer[: self._data_left])
        del self._buffer[: len(piece)]
        self._data_left -= len(piece)
        return Data(self._data_stream_id, piece, self._data_fin and not self._data_left)

    def _control_frame(self, type_: int, flags: int, payload: bytes) -> Frame:
        fin = bool(flags & FLAG_FIN)
        try:
            if type_ == _SYN_STREAM:
                return SynStream(
                    _stream_id(payload),
                    self._header_block(payload[10:]),
                    fin,
                    bool(flags & FLAG_UNIDIRECTIONAL),
                )
            if type_ == _SYN_REPLY:
                return SynReply(_stream_id(payload), self._header_block(payload[4:]), fin)
            if type_ == _HEADERS:
                return Headers(_stream_id(payload), self._header_block(payload[4:]), fin)
            if type_ == _PING:
                return Ping(*_WORD.unpack_from(payload))
            if type_ == _RST_STREAM:
                return RstStream(_stream_id(payload), *_WORD.unpack_from(payload, 4))
            if type_ == _GOAWAY:
                return GoAway(_stream_id(payload), *_WORD.unpack_from(payload, 4))
            if type_ == _WINDOW_UPDATE:
                return WindowUpdate(_stream_id(payload), _WORD.unpack_from(payload, 4)[0])
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(f"a control frame of type {type_} is malformed: {error}") from error
        return Unknown(type_)

    def _header_block(self, compressed: bytes) -> dict[str, str]:
        block = self._decompressor.decompress(compressed, MAX_HEADER_BLOCK_BYTES)
        if self._decompressor.unconsumed_tail:
            raise SpdyError(f"a header block is longer than {MAX_HEADER_BLOCK_BYTES} bytes")
        (count,) = _WORD.unpack_from(block)
        offset = _WORD.size
        texts: list[str] = []
        for _ in range(2 * min(count, len(block))):
            (length,) = _WORD.unpack_from(block, offset)
            offset += _WORD.size
            if offset + length > len(block):
                raise SpdyError("a header block ends in the middle of a value")
            texts.append(block[offset : offset + length].decode())
            offset += length
        return dict(zip(texts[::2], texts[1::2], strict=True))


def _flags(fin: bool) -> int:
    return FLAG_FIN if fin else 0


def _stream_id(payload: bytes) -> int:
    word: int = _WORD.unpack_from(payload)[0]
    return word & _STREAM_ID


def _control(type_: int, payload: bytes, flags: int = 0) -> bytes:
    return _HEAD.pack(0x8000 | VERSION, type_, flags << 24 | len(payload)) + payload
