"""Lifecycle hooks: postStart and preStop, by exec, HTTP GET or sleep.

https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
"""

from __future__ import annotations

import asyncio

from pilotfish.node.container_run import ContainerRun
from pilotfish.node.errors import RuntimeFailed
from pilotfish.node.exec_process import exec_output
from pilotfish.node.probes.http import get, http_request
from pilotfish.node.probes.ports import resolve_port
from pilotfish.node.runc import Runc
from pilotfish.objects.meta import Object

_HTTP_TIMEOUT_S = 30.0
_MAX_OUTPUT_BYTES = 10 * 1024


class HookFailed(Exception):
    """The hook did not succeed; the message is that of the Event."""


async def run_hook(
    runc: Runc, run: ContainerRun, container: Object, handler: Object, pod_ip: str
) -> None:
    """Run a hook to its end; the caller limits its time by cancelling. Raises HookFailed."""
    try:
        if action := handler.get("exec"):
            command = list(action.get("command") or [])
            result = await exec_output(
                runc, run.record.container_id, run.paths.bundle, command, _MAX_OUTPUT_BYTES
            )
            if result.code != 0:
                raise HookFailed(
                    f"command '{' '.join(command)}' exited with {result.code}: {result.output}"
                )
        elif action := handler.get("httpGet"):
            status = await get(http_request(container, action, pod_ip), _HTTP_TIMEOUT_S)
            if not 200 <= status < 400:
                raise HookFailed(f"HTTP hook answered with statuscode: {status}")
        elif action := handler.get("tcpSocket"):
            address = str(action.get("host") or pod_ip)
            port = resolve_port(container, action["port"])
            _reader, writer = await asyncio.open_connection(address, port)
            writer.close()
        elif action := handler.get("sleep"):
            await asyncio.sleep(float(action["seconds"]))
    except (RuntimeFailed, OSError, ValueError) as error:
        raise HookFailed(str(error)) from error
