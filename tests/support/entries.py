"""Entries made by hand, for tests of what is done with them."""

from __future__ import annotations

from typing import Any


def pod(name: str, ip: str, port: int = 8080, namespace: str = "default") -> dict[str, Any]:
    """A Pod as an entry names it."""
    described = {"name": name, "namespace": namespace, "labels": {}}
    return {"ip": ip, "port": port, "name": name, "kind": "pod", "pod": described}


def service(name: str, ip: str, port: int = 80, namespace: str = "default") -> dict[str, Any]:
    """A Service as an entry names it."""
    described = {"name": name, "namespace": namespace, "port": str(port)}
    return {"ip": ip, "port": port, "name": name, "kind": "service", "service": described}


def entry(**changes: Any) -> dict[str, Any]:
    """An answered HTTP request from Pod `client` through Service `api` to Pod `api-1`."""
    made: dict[str, Any] = {
        "id": "node-1-000001",
        "timestamp": "2026-01-01T12:00:00.250000Z",
        "protocol": "http",
        "node_name": "node-1",
        "src": pod("client", "10.244.0.5", 40000),
        "dst": service("api", "10.96.0.20"),
        "endpoint": pod("api-1", "10.244.1.7"),
        "method": "GET",
        "url": "/demo/hello?x=1",
        "path": "/demo/hello",
        "status_code": 200,
        "status": "200",
        "summary": "GET /demo/hello?x=1 → 200",
        "error": False,
        "failure": "",
        "elapsed_time": 1200,
        "timing": {"connect": 100, "wait": 900, "transfer": 300},
        "bytes": {"request": 80, "response": 160},
        "request": {
            "method": "GET",
            "url": "/demo/hello?x=1",
            "path": "/demo/hello",
            "query": {"x": "1"},
            "version": "HTTP/1.1",
            "headers": {"host": "api"},
            "body": "",
            "body_size": 0,
            "size": 80,
        },
        "response": {
            "status_code": 200,
            "reason": "OK",
            "version": "HTTP/1.1",
            "headers": {"content-type": "text/plain"},
            "body": "hello",
            "body_size": 5,
            "size": 160,
        },
        "conn": {"id": "c1", "first": True, "whole": True},
        "probe": False,
    }
    return {**made, **changes}
