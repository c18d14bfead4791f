"""What one probe does: picks HTTP, TCP, gRPC or exec, and makes of trouble a failed result."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable

from pilotfish.node.container_run import ContainerRun
from pilotfish.node.errors import RuntimeFailed
from pilotfish.node.exec_process import exec_output
from pilotfish.node.probes.grpc import probe_grpc
from pilotfish.node.probes.http import http_request, probe_http
from pilotfish.node.probes.ports import resolve_port
from pilotfish.node.probes.state import Result
from pilotfish.node.probes.tcp import probe_tcp
from pilotfish.node.runc import Runc
from pilotfish.objects.meta import Object

# What the kubelet keeps of an exec probe's output.
_MAX_OUTPUT_BYTES = 10 * 1024


def make_probe(
    probe: Object, container: Object, pod_ip: str, run: ContainerRun, runc: Runc
) -> Callable[[], Awaitable[Result]]:
    """A function that runs the probe once; it never raises but when cancelled."""
    timeout_s = float(probe.get("timeoutSeconds") or 1)

    async def once() -> Result:
        try:
            if action := probe.get("httpGet"):
                return await probe_http(http_request(container, action, pod_ip), timeout_s)
            if action := probe.get("tcpSocket"):
                port = resolve_port(container, action["port"])
                return await probe_tcp(str(action.get("host") or pod_ip), port, timeout_s)
            if action := probe.get("exec"):
                return await _probe_exec(runc, run, list(action.get("command") or []), timeout_s)
            if action := probe.get("grpc"):
                service = str(action.get("service") or "")
                return await probe_grpc(pod_ip, int(action["port"]), service, timeout_s)
        except ValueError as error:
            return Result(False, str(error), errored=True)
        return Result(False, "missing probe handler", errored=True)

    return once


async def _probe_exec(
    runc: Runc, run: ContainerRun, command: list[str], timeout_s: float
) -> Result:
    container_id, bundle = run.record.container_id, run.paths.bundle
    try:
        async with asyncio.timeout(timeout_s):
            result = await exec_output(runc, container_id, bundle, command, _MAX_OUTPUT_BYTES)
    except TimeoutError:
        return Result(
            False, f"command timed out: {shlex.join(command)!r} timed out after {timeout_s:g}s"
        )
    except (RuntimeFailed, OSError) as error:
        return Result(False, f"rpc error: {error}", errored=True)
    return Result(result.code == 0, result.output)
