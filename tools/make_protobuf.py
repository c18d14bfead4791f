"""Make `src/pilotfish/apiserver/protobuf.json`: the field numbers of Kubernetes' protobuf form.

Go clients send built-in kinds as protobuf, whatever the server says of itself. The numbers are
facts of the API and never change. Every Go program that uses these types carries them in the
tags of its structs (`protobuf:"bytes,1,opt,name=metadata"`), for reflection; helm has nearly all
types of the release that it was built with:

    python tools/make_protobuf.py HELM-BINARY [FURTHER-BINARIES]

What is read is laid out as in Go's internal/abi: type.go (Type, StructType, UncommonType, Name).
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from pilotfish.objects.schema import kinds

TARGET = Path(__file__).parent.parent / "src/pilotfish/apiserver/protobuf.json"
TAG = re.compile(rb'protobuf:"[a-z0-9]+,(\d+),')
JSON_NAME = re.compile(r'json:"([^",]*)')
NUMBER = re.compile(r'protobuf:"[a-z0-9]+,(\d+),')
# internal/abi/type.go
BOOL, INTEGERS, FLOATS, STRING = 1, range(2, 13), (13, 14), 24
ARRAY_OF_BYTES, MAP, POINTER, SLICE, STRUCT = 8, 21, 22, 23, 25
_UNCOMMON = 1
SCALARS = ("bool", "double", "int", "string")
_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
# Types whose protobuf form is not that of their JSON: decoded by hand.
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "raw",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    f"{_APIEXTENSIONS}.JSON": "raw",
    f"{_APIEXTENSIONS}.JSONSchemaPropsOrArray": "schema-or-list",
    f"{_APIEXTENSIONS}.JSONSchemaPropsOrBool": "schema-or-bool",
    f"{_APIEXTENSIONS}.JSONSchemaPropsOrStringArray": "schema-or-list",
}
# The aggregator's types, which no client but its own is built with
# (generated.proto of k8s.io/kube-aggregator).
_AGGREGATOR = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
BY_HAND = {
    f"{_AGGREGATOR}.APIService": {
        "1": f"metadata:@{_META}.ObjectMeta",
        "2": f"spec:@{_AGGREGATOR}.APIServiceSpec",
        "3": f"status:@{_AGGREGATOR}.APIServiceStatus",
    },
    f"{_AGGREGATOR}.APIServiceSpec": {
        "1": f"service:@{_AGGREGATOR}.ServiceReference",
        "2": "group:string",
        "3": "version:string",
        "4": "insecureSkipTLSVerify:bool",
        "5": "caBundle:bytes",
        "7": "groupPriorityMinimum:int",
        "8": "versionPriority:int",
    },
    f"{_AGGREGATOR}.ServiceReference": {
        "1": "namespace:string",
        "2": "name:string",
        "3": "port:?int",
    },
    f"{_AGGREGATOR}.APIServiceStatus": {"1": f"conditions:[]@{_AGGREGATOR}.APIServiceCondition"},
    f"{_AGGREGATOR}.APIServiceCondition": {
        "1": "type:string",
        "2": "status:string",
        "3": "lastTransitionTime:time",
        "4": "reason:string",
        "5": "message:string",
    },
}


@dataclass(frozen=True)
class Member:
    """A field of a struct: name in JSON ("" where inlined), number, address of its type."""

    name: str
    number: int
    type: int


class GoBinary:
    """The struct types of an ELF binary made by Go."""

    def __init__(self, path: Path) -> None:
        self._data = path.resolve().read_bytes()
        self._sections = list(self._read_sections())
        self._types = next(at for name, at, _, _ in self._sections if name == ".go.type")
        self.structs = dict(self._read_structs())

    def _read_sections(self) -> Iterator[tuple[str, int, int, int]]:
        """Name, address, offset and size of what the file has in memory."""
        data = self._data
        table = struct.unpack_from("<Q", data, 0x28)[0]
        size, count, names = struct.unpack_from("<HHH", data, 0x3A)
        rows = [struct.unpack_from("<IIQQQQ", data, table + n * size) for n in range(count)]
        for name, kind, flags, address, offset, length in rows:
            if kind == 1 and flags & 2 and length:
                start = rows[names][4] + name
                text = data[start : data.index(b"\0", start)].decode()
                yield text, address, offset, length

    def _offset(self, address: int) -> int | None:
        for _, start, offset, length in self._sections:
            if start <= address < start + length:
                return address - start + offset
        return None

    def _word(self, address: int) -> int:
        offset = self._offset(address)
        return struct.unpack_from("<Q", self._data, offset)[0] if offset is not None else 0

    def _name(self, address: int) -> tuple[str, str]:
        """A Name: the text and its tag."""
        at = self._offset(address)
        assert at is not None
        flags = self._data[at]
        text, at = self._text(at + 1)
        return text, self._text(at)[0] if flags & 2 else ""

    def _text(self, at: int) -> tuple[str, int]:
        length = shift = 0
        while True:
            byte = self._data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return self._data[at : at + length].decode("utf-8", "replace"), at + length

    def _tagged_names(self) -> set[int]:
        """Addresses of the Names that have a tag of protobuf."""
        found = set()
        for _, address, offset, length in self._sections:
            for match in TAG.finditer(self._data, offset, offset + length):
                # The Name begins some 100 bytes before; a guess is right if it reads so.
                for at in range(match.start() - 1, match.start() - 300, -1):
                    if self._reads_as_name(at, match.start()):
                        found.add(at - offset + address)
                        break
        return found

    def _reads_as_name(self, at: int, inside: int) -> bool:
        if self._data[at] > 15 or not self._data[at] & 2:
            return False
        text, then = self._text(at + 1)
        if not text.isidentifier() or then > inside:
            return False
        tag, end = self._text(then)
        return then < inside < end and tag.startswith(("json:", "protobuf:"))

    def _read_structs(self) -> Iterator[tuple[int, list[Member]]]:
        """Struct types by address, of those with protobuf's numbers."""
        names = self._tagged_names()
        for _, address, offset, length in self._sections:
            words = struct.unpack_from(f"<{length // 8}Q", self._data, offset)
            for index in range(7, len(words) - 2):
                first, count, room = words[index : index + 3]
                header = address + index * 8 - 56
                if count != room or not 0 < count < 300 or self._offset(first) is None:
                    continue
                entries = [self._word(first + 24 * number) for number in range(count)]
                if names.isdisjoint(entries) or self._kind(header) != STRUCT:
                    continue
                yield header, list(self._members(first, entries, names))

    def _members(self, first: int, entries: list[int], names: set[int]) -> Iterator[Member]:
        for index, entry in enumerate(entries):
            if entry not in names:
                continue
            _, tag = self._name(entry)
            json, number = JSON_NAME.search(tag), NUMBER.search(tag)
            if json is not None and number is not None:
                yield Member(json[1], int(number[1]), self._word(first + 24 * index + 8))

    def _kind(self, address: int) -> int:
        offset = self._offset(address)
        return self._data[offset + 23] & 31 if offset is not None else 0

    def schema_name(self, address: int) -> str:
        """The name of a type as the schema has it; "" for one without."""
        offset = self._offset(address)
        assert offset is not None
        flags = self._data[offset + 20]
        if not flags & _UNCOMMON:
            return ""
        text, _ = self._name(self._types + struct.unpack_from("<i", self._data, offset + 40)[0])
        sizes = {STRUCT: 80, MAP: 104, SLICE: 56, POINTER: 56}
        uncommon = offset + sizes.get(self._kind(address), 48)
        package, _ = self._name(self._types + struct.unpack_from("<i", self._data, uncommon)[0])
        parts = package.split("/")
        if parts[0] != "k8s.io":
            return ""
        return ".".join(("io.k8s", *parts[1:], text.lstrip("*").rpartition(".")[2]))

    def text(self, address: int) -> str:
        """A type as the table writes it: `string`, `?int`, `[]int`, `{}string`, `@name`."""
        kind = self._kind(address)
        if kind == POINTER:
            inner = self.text(self._word(address + 48))
            # What a pointer leads to is meant, also where it is zero.
            return f"?{inner}" if inner in SCALARS else inner
        if kind == SLICE:
            item = self._word(address + 48)
            if self._kind(item) == ARRAY_OF_BYTES:
                return "bytes"
            # A named slice (ExtraValue, Verbs) is a message; in JSON the list itself.
            return "list" if self.schema_name(address) else f"[]{self.text(item)}"
        if kind == MAP:
            return "{}" + self.text(self._word(address + 56))
        if kind == STRUCT:
            name = self.schema_name(address)
            return SPECIAL.get(name, f"@{name}")
        if kind == STRING:
            return "string"
        return "bool" if kind == BOOL else ("double" if kind in FLOATS else "int")


def table(binary: GoBinary) -> dict[str, dict[str, str]]:
    """All types that are reached from the stable kinds, and their fields by number."""
    by_name = {binary.schema_name(address): members for address, members in binary.structs.items()}
    wanted = [name for kind, name in kinds().items() if not kind.endswith("List")]
    found: dict[str, dict[str, str]] = {}
    while wanted:
        name = wanted.pop()
        if name in found or name not in by_name:
            continue
        fields = found[name] = {}
        for member in sorted(by_name[name], key=lambda each: each.number):
            text = binary.text(member.type)
            fields[str(member.number)] = f"{member.name}:{text}"
            if "@" in text:
                wanted.append(text.partition("@")[2])
    return found


def main() -> None:
    """Read the binaries named on the command line, the first one first; write the table."""
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: {sys.argv[0]} GO-BINARY…")
    types: dict[str, dict[str, str]] = dict(BY_HAND)
    for path in sys.argv[1:]:
        types = table(GoBinary(Path(path))) | types
    missing = [name for kind, name in kinds().items() if name not in types and "List" not in kind]
    TARGET.write_bytes(orjson.dumps(dict(sorted(types.items()))) + b"\n")
    print(f"{TARGET}: {len(types)} types; not found: {', '.join(missing) or 'none'}")


if __name__ == "__main__":
    main()
