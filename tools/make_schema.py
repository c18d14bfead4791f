"""Make `src/pilotfish/objects/schema.json`: the compact table of Kubernetes' types.

The source is the JSON Schema set of the PyPI package `kubernetes-validate`
(a development-time need only; 108 MB installed). What is kept are facts: the
names of types and fields, their types, which are required, and how lists
merge. Descriptions are left out.

    pip download --no-deps kubernetes-validate==1.37.0 && unzip kubernetes_validate-*.whl -d kv
    python tools/make_schema.py kv/kubernetes_validate/kubernetes-json-schema/v1.37.0-local
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import orjson

TARGET = Path(__file__).parent.parent / "src/pilotfish/objects/schema.json"
STABLE = re.compile(r"v\d+\Z")
# The Go names under which the definitions' few types without properties are known.
SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
}
FORMATS = {"int32": "int32", "int64": "int64", "byte": "bytes", "double": "number"}
OPTIONS = {
    "x-kubernetes-list-type": "l",
    "x-kubernetes-list-map-keys": "k",
    "x-kubernetes-patch-merge-key": "m",
    "x-kubernetes-patch-strategy": "s",
    "x-kubernetes-map-type": "a",
}


def type_text(schema: dict[str, Any]) -> str:
    """A field's type: `string`, `@type name`, `[]element` or `{}value`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return SCALARS.get(name, f"@{name}")
    declared = schema.get("type", "any")
    declared = declared if isinstance(declared, str) else declared[0]
    if declared == "array":
        return "[]" + type_text(schema["items"])
    if declared == "object":
        values = schema.get("additionalProperties")
        return "{}" + (type_text(values) if isinstance(values, dict) else "any")
    return FORMATS.get(schema.get("format", ""), declared)


def compact(definition: dict[str, Any]) -> dict[str, Any]:
    """A type as the table holds it: fields in order, each with its options."""
    required = set(definition.get("required", ()))
    fields: dict[str, Any] = {}
    for name, schema in definition.get("properties", {}).items():
        options: dict[str, Any] = {
            short: schema[long] for long, short in OPTIONS.items() if long in schema
        }
        if name in required:
            options["r"] = 1
        fields[name] = [type_text(schema), options] if options else type_text(schema)
    table: dict[str, Any] = {"f": fields}
    if definition.get("x-kubernetes-map-type"):
        table["a"] = definition["x-kubernetes-map-type"]
    return table


def references(table: dict[str, Any]) -> set[str]:
    """The names of the types that a type's fields refer to."""
    texts = (spec if isinstance(spec, str) else spec[0] for spec in table["f"].values())
    return {text.partition("@")[2] for text in texts if "@" in text}


def make(definitions: dict[str, Any]) -> dict[str, Any]:
    """The table: every kind of a stable group version, and all types below them."""
    kinds: dict[str, str] = {}
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", ()):
            # DeleteOptions and WatchEvent are registered in every group; one is enough.
            if not STABLE.match(kind["version"]) or (
                kind["kind"] in ("DeleteOptions", "WatchEvent") and kind["group"]
            ):
                continue
            api_version = f"{kind['group']}/{kind['version']}".removeprefix("/")
            kinds[f"{api_version}/{kind['kind']}"] = name
    types: dict[str, Any] = {}
    waiting = set(kinds.values())
    while waiting:
        name = waiting.pop()
        types[name] = compact(definitions[name])
        waiting |= references(types[name]) - types.keys()
    return {"kinds": dict(sorted(kinds.items())), "types": dict(sorted(types.items()))}


def main() -> None:
    """Read the definitions of the folder named on the command line; write the table."""
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} FOLDER-OF-JSON-SCHEMAS")
    source = Path(sys.argv[1]) / "_definitions.json"
    table = make(orjson.loads(source.read_bytes())["$defs"])
    TARGET.write_bytes(orjson.dumps(table) + b"\n")
    print(f"{TARGET}: {len(table['kinds'])} kinds, {len(table['types'])} types")


if __name__ == "__main__":
    main()
