"""Make `src/pilotfish/apiserver/protobuf.json`: the field numbers of Kubernetes' protobuf form.

kubectl sends some objects as protobuf, whatever the server says of itself in its OpenAPI
document. The numbers are facts of the API and never change; a kubectl binary up to 1.34
carries them as file descriptors (descriptor.proto, compressed), from which they are read:

    python tools/make_protobuf.py /usr/bin/kubectl

A field whose name the JSON schema does not know is one that JSON has inlined into its parent.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from pilotfish.objects.schema import kinds, type_named

TARGET = Path(__file__).parent.parent / "src/pilotfish/apiserver/protobuf.json"
GZIP_HEADER = re.compile(rb"\x1f\x8b\x08\x00\x00\x00\x00\x00[\x00\x02\x04]\xff")
# descriptor.proto, FieldDescriptorProto.Type, as far as Kubernetes uses them.
DOUBLE, INT64, INT32, BOOL, STRING, MESSAGE, BYTES = 1, 3, 5, 8, 9, 11, 12
SCALARS = {DOUBLE: "double", INT64: "int", INT32: "int", BOOL: "bool", STRING: "string"}
REPEATED = 3
# Types whose protobuf form is not that of their JSON: decoded by hand.
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "raw",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
}


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The (number, value) pairs of a message: integers, or bytes where they have a length."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        match key & 7:
            case 0:
                value, at = varint(data, at)
                yield key >> 3, value
            case 2:
                size, at = varint(data, at)
                yield key >> 3, data[at : at + size]
                at += size
            case 1:
                at += 8
            case 5:
                at += 4
            case wire:
                raise ValueError(f"wire type {wire} at {at}")


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A base 128 number and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def file_descriptors(binary: bytes) -> Iterator[bytes]:
    """The compressed FileDescriptorProtos in a Go binary."""
    for found in GZIP_HEADER.finditer(binary):
        try:
            data = zlib.decompressobj(31).decompress(binary[found.start() :][:500_000])
        except zlib.error:
            continue
        if data.startswith(b"\n") and b"generated.proto" in data[:120]:
            yield data


def message_types(descriptor: bytes) -> Iterator[tuple[str, bytes]]:
    """The messages of a file with their full names, nested ones too."""
    package = next(value.decode() for number, value in fields(descriptor) if number == 2)
    for number, value in fields(descriptor):
        if number == 4:
            yield from nested(f".{package}", value)


def nested(prefix: str, message: bytes) -> Iterator[tuple[str, bytes]]:
    """A message, and those declared inside it (the entries of maps)."""
    name = f"{prefix}.{next(value.decode() for number, value in fields(message) if number == 1)}"
    yield name, message
    for number, value in fields(message):
        if number == 3:
            yield from nested(name, value)


def read_fields(message: bytes) -> dict[int, tuple[str, int, int, str]]:
    """Each field of a message: name, label, type, name of its message type."""
    found = {}
    for number, value in fields(message):
        if number == 2:
            field = dict(fields(value))
            type_name = field.get(6, b"").decode()
            found[field[3]] = (field[1].decode(), field.get(4, 1), field[5], type_name)
    return found


class Table:
    """Collects the types that are reached from the stable kinds."""

    def __init__(self, messages: dict[str, bytes]) -> None:
        self._messages = messages
        self.types: dict[str, dict[str, str]] = {}

    def add(self, name: str) -> None:
        """Add a type by its schema name, and all that it refers to."""
        message = self._messages.get("." + name.replace("io.k8s.", "k8s.io.", 1))
        if name in self.types or message is None:
            return
        table = self.types[name] = {}
        known = type_named(name).fields
        for number, (field, label, type_, type_name) in sorted(read_fields(message).items()):
            text = self._text(type_, type_name, label == REPEATED)
            if field not in known:
                # Either inlined, or only written otherwise (Expression, uID).
                same = (json for json in known if json.lower() == field.lower())
                field = next(same, "" if text.startswith("@") else field)
            table[str(number)] = f"{field}:{text}"

    def _text(self, type_: int, type_name: str, repeated: bool) -> str:
        if type_ != MESSAGE:
            text = "bytes" if type_ == BYTES else SCALARS[type_]
            return f"[]{text}" if repeated else text
        message = self._messages[type_name]
        if type_name.endswith("Entry") and type_name.count(".") > 1 and repeated:
            entry = read_fields(message)
            if sorted(field[0] for field in entry.values()) == ["key", "value"]:
                _, _, value_type, value_type_name = entry[2]
                return "{}" + self._text(value_type, value_type_name, False)
        schema_name = type_name[1:].replace("k8s.io.", "io.k8s.", 1)
        if schema_name in SPECIAL:
            text = SPECIAL[schema_name]
        elif is_list(message):
            # A named slice (ExtraValue, Verbs): in JSON the list itself.
            text = "list"
        else:
            text = f"@{schema_name}"
            self.add_reference(schema_name)
        return f"[]{text}" if repeated else text

    def add_reference(self, name: str) -> None:
        """Add a type that may be one only protobuf has (an inlined struct)."""
        try:
            type_named(name)
        except KeyError:
            self._add_inlined(name)
        else:
            self.add(name)

    def _add_inlined(self, name: str) -> None:
        message = self._messages["." + name.replace("io.k8s.", "k8s.io.", 1)]
        if name in self.types:
            return
        table = self.types[name] = {}
        for number, (field, label, type_, type_name) in sorted(read_fields(message).items()):
            table[str(number)] = f"{field}:{self._text(type_, type_name, label == REPEATED)}"


def is_list(message: bytes) -> bool:
    """Whether a message is only a list of strings called `items`."""
    return list(read_fields(message).values()) == [("items", REPEATED, STRING, "")]


def main() -> None:
    """Read the kubectl binary named on the command line; write the table."""
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} KUBECTL-BINARY")
    binary = Path(sys.argv[1]).resolve().read_bytes()
    messages: dict[str, bytes] = {}
    for descriptor in file_descriptors(binary):
        messages |= dict(message_types(descriptor))
    table = Table(messages)
    for kind, name in kinds().items():
        if not kind.endswith("List"):  # nobody sends lists
            table.add(name)
    TARGET.write_bytes(orjson.dumps(dict(sorted(table.types.items()))) + b"\n")
    print(f"{TARGET}: {len(table.types)} types")


if __name__ == "__main__":
    main()
