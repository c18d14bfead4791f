"""Requests for the API server, each with something wrong, the same ones for the same seed."""

from __future__ import annotations

import base64
import contextlib
import copy
import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import yaml

from fuzz.examples import BODIES, EXAMPLES
from pilotfish.objects.meta import Object
from pilotfish.objects.resources import RESOURCES, Resource
from pilotfish.objects.schema import Field, Type, schema_for, type_named
from support.protobuf import encode

PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
_PATCHES: Final = {
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
}
_TEXTS: Final = [
    "", "a", "A b", "80", "-1", "x/y", "TCP", "10.96.0.9", "1.2.3.4/8", "::1", "é", "\u0000",
    "\ud83d\ude00", "a" * 300, "../..", "%s", "{{}}", "2026-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59", "2026-99-99T99:99:99Z", "1e999999999", "9" * 5000, "1Gi", "-1Ki",
    "NaN", "null", "true", "*/5 * * * *", "* * 31 2 *", "[", "(", "k=v", "=", ",", "!", "a in (",
    "metadata.name=f", "spec.nodeName!=x", "kubernetes", "None", "Foreground", "\n", "$patch",
]  # fmt: skip
_NUMBERS: Final = [
    0, 1, -1, 2, 80, 70_000, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1,
    -(2**63), 0.5, 1e300, -1e-300, 1e19,
]  # fmt: skip
_VALUES: Final[dict[str, list[Any]]] = {
    "string": _TEXTS[:9],
    "bytes": ["", "YQ=="],
    "int32": [0, 1, 80],
    "int64": [0, 1, 30],
    "integer": [1],
    "number": [1.5],
    "boolean": [True, False],
    "quantity": ["1", "100m", "1Gi"],
    "time": ["2026-01-01T00:00:00Z"],
    "microtime": ["2026-01-01T00:00:00.000000Z"],
    "int-or-string": [0, 80, "http", "25%"],
    "any": [{}, {"a": 1}],
}
_DIRECTIVES: Final[list[tuple[str, Any]]] = [
    ("$patch", "delete"), ("$patch", "replace"), ("$patch", 3), ("$retainKeys", ["a", 1, {}]),
    ("$retainKeys", "x"), ("$setElementOrder/containers", [{"name": "main"}, 3, {}]),
    ("$setElementOrder/ports", "x"), ("$deleteFromPrimitiveList/finalizers", ["a", {}]),
    ("$deleteFromPrimitiveList/args", 1),
]  # fmt: skip
_NAMES: Final = ["f"] * 60 + [
    "g", "default", "kube-system", "a%2Fb", "%00", "%ff", "A", "x" * 300, "..", "-",
    "system:node:n", "widgets.example.com", "kubernetes",
]  # fmt: skip
_PAGES: Final = ["/", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/openapi/v2",
                 "/openapi/v3", "/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1", "/version",
                 "/healthz", "/readyz?verbose", "/metrics", "/apis/x/y/z", "/api//pods", "//",
                 "/api/v1/namespaces/default", "/%2e%2e/", "/openapi/v3/" + "a/" * 50,
                 "/logs", "/api/v1/watch/pods?timeoutSeconds=1", "/healthz/x", "/livez/ping",
                 "/apis/example.com/v1", "/apis/example.com"]  # fmt: skip
_ACCEPTS: Final = [
    "application/json", "*/*", "application/yaml", PROTOBUF, "", ";", ",", "a=b;c",
    "application/json;as=Table;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    "application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2",
    "application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=x",
    "application/json;as=Table;g=meta.k8s.io;v=v9", "application/json;q=x;as",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
]  # fmt: skip
_TYPES: Final = [
    "application/json", "application/yaml", PROTOBUF, "", "text/plain", "application/xml", ";",
    "application/json;charset=utf-16", "application/cbor", "multipart/form-data; boundary=x",
]  # fmt: skip
_QUERY: Final[dict[str, list[str]]] = {
    "dryRun": ["All", "", "x", "all"],
    "fieldManager": ["m", "", "é" * 100, "\n"],
    "fieldValidation": ["Strict", "Warn", "Ignore", "x"],
    "force": ["true", "false", "x"],
    "limit": ["1", "0", "-1", "x", "9" * 5000, "2.5"],
    "continue": ["x", "e30", "eyJydiI6LTEsInN0YXJ0IjoiYSJ9", "eyJydiI6MSwic3RhcnQiOltdfQ", "é"],
    "resourceVersion": ["0", "1", "x", "-1", "9" * 30, "9" * 5000, "１"],
    "resourceVersionMatch": ["Exact", "NotOlderThan", "x"],
    "sendInitialEvents": ["true", "false", "x"],
    "allowWatchBookmarks": ["true", "x"],
    "timeoutSeconds": ["1", "-1", "x", "9" * 18],
    "labelSelector": ["a=b", "a in (b", "!a", "a>1", "," * 2000, "(" * 2000, "é=é", "a=b,"],
    "fieldSelector": ["metadata.name=f", "a=b", "=", "metadata.name", "a\\", "spec.nodeName=\\x"],
    "gracePeriodSeconds": ["0", "-1", "x", "9" * 19],
    "propagationPolicy": ["Orphan", "Foreground", "x"],
    "orphanDependents": ["true", "x"],
    "includeObject": ["Object", "None", "x"],
    "pretty": ["1", "true", "x"],
    "container": ["main", "é", ""],
    "tailLines": ["1", "-1", "x", "9" * 30],
    "sinceSeconds": ["1", "-1", "9" * 30, "x"],
    "sinceTime": ["2026-01-01T00:00:00Z", "x"],
    "limitBytes": ["1", "x", "9" * 30],
    "command": ["ls", "\u0000", "a" * 2000],
    "stdin": ["true", "x"],
    "ports": ["80", "x", "-1", "99999999"],
    "path": ["x", "//x"],
    "%ff": ["%ff"],
}
_HEADERS: Final[list[tuple[str, str]]] = [
    ("Content-Encoding", "gzip"), ("Content-Encoding", "br"), ("Accept-Encoding", "gzip"),
    ("Accept-Encoding", "x;q=y"), ("Impersonate-User", "u"), ("Impersonate-User", ""),
    ("Impersonate-Group", "g"), ("Impersonate-Extra-%zz", "x"), ("Impersonate-Uid", "x"),
    ("Authorization", "Bearer x"), ("Authorization", "Bearer a.b.c"), ("Authorization", "Basic !"),
    ("User-Agent", "é" * 100), ("User-Agent", "/" * 200), ("User-Agent", ""),
    ("Audit-ID", "x" * 1000), ("X-Forwarded-For", "x"), ("Range", "bytes=-1"),
    ("If-None-Match", "x"), ("Upgrade", "SPDY/3.1"), ("X-Remote-User", "root"),
    ("Expect", "x"), ("Origin", "null"), ("Cookie", "a"), ("X", "\x7f\xe9"),
]  # fmt: skip


@dataclass
class Request:
    """One request, as it goes over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def line(self) -> str:
        """The request as a line of JSON, to be sent again (`fuzz --replay`)."""
        body = base64.b64encode(self.body).decode()
        return json.dumps([self.method, self.target, self.headers, body])

    @classmethod
    def of_line(cls, line: str) -> Request:
        """The request that `line` wrote."""
        method, target, headers, body = json.loads(line)
        pairs = [(name, value) for name, value in headers]
        return cls(method, target, pairs, base64.b64decode(body))


def requests(seed: int, count: int) -> Iterator[Request]:
    """The first requests of a seed. Each depends on the seed and its number alone."""
    for number in range(count):
        yield request(seed, number)


def request(seed: int, number: int) -> Request:
    """One request of a seed."""
    return _Maker(random.Random(f"{seed} {number}")).request()


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def request(self) -> Request:
        """A request with something wrong in one or more places."""
        rng = self._rng
        if rng.random() < 0.04:
            return Request(rng.choice(["GET", "GET", "POST", "HEAD", "PUT", "X"]),
                           rng.choice(_PAGES), self._headers(""))  # fmt: skip
        obj = self._object()
        kind = (obj.get("apiVersion"), obj.get("kind"))
        resource = RESOURCES_OF_KINDS.get(kind) or rng.choice(RESOURCES)
        method = rng.choice(["POST"] * 4 + ["PUT"] * 3 + ["PATCH"] * 6 + ["GET"] * 2
                            + ["DELETE", "HEAD", "OPTIONS"])  # fmt: skip
        subresource = self._subresource(resource, method)
        if subresource in ("binding", "eviction", "token") and rng.random() < 0.9:
            method = "POST"
        elif subresource and method == "POST" and rng.random() < 0.9:
            method = rng.choice(["PUT", "PATCH"])
        if method == "POST" and not subresource and rng.random() < 0.5:
            obj["metadata"] = {**obj["metadata"], "name": f"f{rng.randrange(30)}"}
        if subresource in BODIES:
            obj = json.loads(json.dumps(BODIES[subresource]))
        if method == "DELETE":
            obj = json.loads(json.dumps(BODIES["delete"])) if rng.random() < 0.5 else {}
        for _ in range(rng.choice([0, 1, 1, 1, 1, 2, 3])):
            obj = self._spoiled(obj)
        content_type, body = self._content(method, obj)
        if method in ("GET", "HEAD", "OPTIONS") and rng.random() < 0.95:
            body = b""
        target = self._path(resource, method, subresource) + self._query(method, subresource)
        return Request(method, target, self._headers(content_type), body)

    def _object(self) -> Object:
        if self._rng.random() < 0.7:
            made: Object = json.loads(json.dumps(self._rng.choice(EXAMPLES)))
            return made
        resource = self._rng.choice(RESOURCES)
        schema = schema_for(resource.api_version, resource.kind)
        assert schema is not None
        obj = self._of_schema(schema, 7)
        metadata = {"name": "f"} | ({"namespace": "default"} if resource.namespaced else {})
        identity = {"apiVersion": resource.api_version, "kind": resource.kind}
        return {**obj, **identity, "metadata": metadata}

    def _of_schema(self, schema: Type, depth: int) -> Object:
        if depth <= 0:
            return {}
        share = self._rng.choice([0.1, 0.3, 0.6])
        return {
            name: self._value(field, depth)
            for name, field in schema.fields.items()
            if self._rng.random() < (0.8 if field.required else share)
        }

    def _value(self, field: Field, depth: int) -> Any:
        if field.type in _VALUES:
            return copy.deepcopy(self._rng.choice(_VALUES[field.type]))
        if field.type == "object":
            return self._of_schema(type_named(field.ref), depth - 1)
        if field.items is None or depth <= 0:
            return [] if field.type == "array" else {}
        items = [self._value(field.items, depth - 1) for _ in range(self._rng.choice([0, 1, 2]))]
        if field.type == "array":
            return items
        return {f"k{index}": item for index, item in enumerate(items)}

    def _hostile(self) -> Any:
        rng = self._rng
        deep: Any = "x"
        for _ in range(rng.choice([3, 3, 100, 300])):
            deep = [deep] if rng.random() < 0.5 else {"a": deep}
        return rng.choice([
            None, True, False, [], {}, [None], [[]], [{}], {"": ""}, {"a": None}, {"a": {"b": []}},
            rng.choice(_TEXTS), rng.choice(_TEXTS), rng.choice(_NUMBERS), rng.choice(_NUMBERS),
            [rng.choice(_TEXTS)], [rng.choice(_NUMBERS)], {rng.choice(_TEXTS): rng.choice(_TEXTS)},
            deep,
        ])  # fmt: skip

    def _spoiled(self, value: Any) -> Any:
        """The value with one thing changed."""
        places: list[tuple[Any, Any]] = []
        _walk(value, places)
        if not places:
            return value if self._rng.random() < 0.5 else self._hostile()
        parent, key = self._rng.choice(places)
        match self._rng.randrange(10):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, list):
                parent.append(json.loads(json.dumps(parent[key])))
            case 1:
                parent[self._rng.choice(_TEXTS)] = parent.pop(key)
            case 2 if isinstance(parent, dict):
                parent[self._rng.choice(_TEXTS)] = self._hostile()
            case 3:
                parent[key] = [parent[key]]
            case 4 if isinstance(parent, dict):
                name, directive = self._rng.choice(_DIRECTIVES)
                parent[name] = copy.deepcopy(directive)
            case 5 if isinstance(parent, dict) and parent is not value:
                other, name = self._rng.choice(places)
                parent[key] = json.loads(json.dumps(other[name])) if _has(other, name) else None
            case _:
                parent[key] = self._hostile()
        return value

    def _content(self, method: str, obj: Any) -> tuple[str, bytes]:
        rng = self._rng
        if method == "PATCH":
            content_type = rng.choice(sorted(_PATCHES))
            if content_type == "application/json-patch+json":
                obj = self._operations(obj)
            elif rng.random() < 0.3 and isinstance(obj, dict):
                obj = {key: obj[key] for key in rng.sample(sorted(obj), min(len(obj), 2))}
        else:
            content_type = rng.choice(["application/json"] * 12 + _TYPES)
        return content_type, self._garbled(self._encoded(content_type, obj))

    def _encoded(self, content_type: str, obj: Any) -> bytes:
        if content_type == PROTOBUF:
            try:
                return encode(obj)
            except Exception:  # a spoiled object that has no such form
                return encode(EXAMPLES[0])
        is_yaml = "yaml" in content_type and self._rng.random() < 0.7
        if is_yaml:
            if self._rng.random() < 0.1:
                return self._rng.choice(_YAMLS)
            with contextlib.suppress(RecursionError):  # JSON is YAML too
                text: str = yaml.safe_dump(obj, allow_unicode=True)
                return text.encode(errors="replace")
        return json.dumps(obj, ensure_ascii=self._rng.random() < 0.5).encode(errors="replace")

    def _operations(self, obj: Any) -> Any:
        places: list[tuple[Any, Any]] = []
        pointers: list[str] = [""]
        _walk(obj, places, "", pointers)

        def pointer() -> str:
            if self._rng.random() < 0.2:
                return self._rng.choice(["/a", "x", "/metadata/labels/a~1b", "/spec/-", "/-1",
                                         "/spec/containers/9", "/a" * 500, "//"])  # fmt: skip
            return self._rng.choice(pointers)

        operations: list[Any] = []
        for _ in range(self._rng.choice([0, 1, 1, 2, 3])):
            name = self._rng.choice(["add", "remove", "replace", "move", "copy", "test", "x", 3])
            operation = {"op": name, "path": pointer(), "from": pointer(), "value": self._hostile()}
            if self._rng.random() < 0.2:
                operation.pop(self._rng.choice(sorted(operation)))
            operations.append(operation)
        return operations if self._rng.random() < 0.95 else self._hostile()

    def _garbled(self, body: bytes) -> bytes:
        rng = self._rng
        if rng.random() < 0.93 or not body:
            return body
        match rng.randrange(7):
            case 0:
                return body[: rng.randrange(len(body))]
            case 1:
                place = rng.randrange(len(body))
                return body[:place] + bytes([rng.randrange(256)]) + body[place + 1 :]
            case 2:
                return gzip.compress(body, mtime=0)
            case 3:
                return gzip.compress(body, mtime=0)[: rng.randrange(1, 40)]
            case 4:
                return bytes(rng.randrange(256) for _ in range(rng.randrange(60)))
            case 5:
                return b"k8s\x00" + body
            case _:
                bracket = rng.choice([b"[", b'{"a":', b"- ", b"{a: "])
                return bracket * rng.choice([10, 500, 5000])

    def _subresource(self, resource: Resource, method: str) -> str:
        if not resource.subresources or self._rng.random() < 0.6:
            return "x" if self._rng.random() < 0.01 else ""
        return self._rng.choice(resource.subresources)

    def _path(self, resource: Resource, method: str, subresource: str) -> str:
        rng = self._rng
        namespace = rng.choice(["default"] * 40 + ["kube-system", "nope", "%ff", "a b"])
        if not resource.namespaced or rng.random() < 0.03:
            namespace = ""
        name = rng.choice(_NAMES)
        on_collection = method == "POST" or (method in ("GET", "DELETE") and rng.random() < 0.3)
        if on_collection and not subresource:
            name = "" if rng.random() < 0.97 else name
        path = resource.path(namespace.replace(" ", "%20"), name, subresource)
        if subresource == "proxy" and rng.random() < 0.5:
            path += rng.choice(["/", "/x", "/%2e%2e", "//"])
        return path

    def _query(self, method: str, subresource: str) -> str:
        rng = self._rng
        names = rng.sample(sorted(_QUERY), rng.choice([0, 0, 0, 0, 1, 1, 2, 4]))
        pairs = [(name, rng.choice(_QUERY[name])) for name in names]
        if method == "PATCH" and rng.random() < 0.7:
            pairs.append(("fieldManager", "m"))
        if method == "GET" and rng.random() < 0.2:
            pairs += [("watch", "true"), ("timeoutSeconds", "1")]
        text = urlencode(pairs, quote_via=quote)
        if rng.random() < 0.02:
            text += rng.choice(["&&", "&=", "%", "%ff=%fe", "&" * 3000, "a=b=c", "?"])
        return f"?{text}" if text else ""

    def _headers(self, content_type: str) -> list[tuple[str, str]]:
        rng = self._rng
        headers = [("Content-Type", content_type)] if content_type else []
        if rng.random() < 0.15:
            headers.append(("Accept", rng.choice(_ACCEPTS)))
        if rng.random() < 0.1:
            headers.append(rng.choice(_HEADERS))
        return headers


def _has(container: Any, key: Any) -> bool:
    return key in container if isinstance(container, dict) else key < len(container)


def _walk(
    value: Any, places: list[tuple[Any, Any]], path: str = "", pointers: list[str] | None = None
) -> None:
    """Where the parts of a value are."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        places.append((value, key))
        below = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if pointers is not None:
            pointers.append(below)
        if len(places) < 2000 and path.count("/") < 50:
            _walk(item, places, below, pointers)


def _resources() -> dict[tuple[Any, Any], Resource]:
    found: dict[tuple[Any, Any], Resource] = {
        (resource.api_version, resource.kind): resource for resource in RESOURCES
    }
    widgets = Resource(
        "example.com", "v1", "widgets", "widget", "Widget", True, subresources=("scale", "status")
    )
    found["example.com/v1", "Widget"] = widgets
    return found


RESOURCES_OF_KINDS: Final = _resources()
_YAMLS: Final = [
    b"a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
    b"d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e]",
    b"a: &a {k1: 1, k2: 2}\nb: &b {<<: *a, x: *a, y: *a}\nc: &c {<<: [*b, *b], z: *b}\n",
    b"a: &a [*a]", b"a: *b", b"? [a]\n: b", b"~: 1", b"1: 2\n1.5: 3\ntrue: 4", b"a: .nan",
    b"a: " + b"9" * 5000, b"a: 2026-13-45", b"a: !!binary x", b"a: !!python/object:os.system x",
    b"--- a\n--- b", b"%YAML 9.9\n---\na: b", b"\xff\xfea\x00:\x00 \x001\x00", b"a: \xff",
    b"=: =\n<<: 1", b"&a a: *a", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 5}\n5: 6",
    b"[" * 30_000, b"- " * 30_000, b"{a: " * 3000, b"a: |\n  x\n y", b"\t", b"a:\n\t- b", b"!", b"",
]  # fmt: skip
