"""Where the dashboard's entries come from: the nodes' workers, or this machine's interfaces."""

from __future__ import annotations

from collections.abc import Callable

from pilotfish.client.api import Client
from pilotfish.dashboard.dashboard import Dashboard
from pilotfish.dashboard.feed import AnyViewer
from pilotfish.dashboard.kubeconfig import Kubeconfig
from pilotfish.dashboard.otlp_exporter import OtlpExporter
from pilotfish.tap.files.frame import Frame
from pilotfish.tap.viewer import NodeStatus, Viewer


def dashboard_of(
    kubeconfig: Kubeconfig, tell: Callable[[str], None], exporter: OtlpExporter | None = None
) -> Dashboard:
    """The dashboard of a cluster.

    Args:
        kubeconfig: says which cluster; one that was named by its path is that of a cluster
            without workers, whose traffic is captured on this machine.
        tell: says a line to the person at the terminal.
        exporter: sends entries elsewhere, too.
    """
    viewer = _local_viewer if kubeconfig.path is not None else _viewer
    return Dashboard(kubeconfig, viewer, kubeconfig.path is None, tell, exporter)


def _viewer(
    client: Client, on_status: Callable[[NodeStatus], None], _hear: Callable[[Frame], None]
) -> AnyViewer:
    return Viewer(client, probes=True, on_status=on_status)


def _local_viewer(
    client: Client, _on_status: Callable[[NodeStatus], None], hear: Callable[[Frame], None]
) -> AnyViewer:
    # Capturing takes more modules than all the rest.
    from pilotfish.tap.local import LocalViewer, Recording
    from pilotfish.tap.viewing import PacketViewer

    record = Recording(PacketViewer("", ()), hear)
    return LocalViewer(client, lambda _entry: True, probes=True, record=record)
