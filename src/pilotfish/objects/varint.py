"""Numbers as protocol buffers write them: seven bits a byte, the least first.

https://protobuf.dev/programming-guides/encoding/#varints
"""

from __future__ import annotations


def encode_varint(number: int) -> bytes:
    """The bytes of a number that is not negative."""
    if number < 0x80:
        return bytes((number,))
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
