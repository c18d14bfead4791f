"""Health: /healthz, /livez and /readyz, open to everybody; and how it was, as metrics.

The checks have kube-apiserver's names: `etcd` is the store, whichever it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from aiohttp import web

from pilotfish.client.exposition import head, sample

PATHS: Final = ("/healthz", "/livez", "/readyz")
_CHECKS: Final = ("ping", "etcd")


class Health:
    """Answers for the server's health, and counts what was answered."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}
        self._last: dict[tuple[str, str], bool] = {}

    def answer(
        self, path: str, verbose: bool, excluded: Collection[str], store_is_reachable: bool
    ) -> web.Response | None:
        """The answer to a health path, or to one check of it (`/livez/ping`); None for another.

        A server that answers at all has its store loaded: it begins to listen only then. One
        whose store is out of reach lives, but is neither healthy nor ready.

        Args:
            excluded: checks that are not to count.
        """
        root, _, check = path[1:].partition("/")
        if f"/{root}" not in PATHS or (check and check not in _CHECKS):
            return None
        asked = [check] if check else [name for name in _CHECKS if name not in excluded]
        is_fine = {name: store_is_reachable or root == "livez" or name != "etcd" for name in asked}
        self._count(root, is_fine)
        failed = not all(is_fine.values())
        if not failed and (check or not verbose):
            return web.Response(text="ok")
        lines = [
            f"[+]{name} ok" if fine else f"[-]{name} failed: reason withheld"
            for name, fine in is_fine.items()
        ]
        verdict = f"{root} check {'failed' if failed else 'passed'}"
        return web.Response(text="\n".join([*lines, verdict, ""]), status=500 if failed else 200)

    def metrics(self) -> str:
        """The text of /metrics/slis: each check that was asked for, as it was last and how often.

        "Kubernetes Component SLI Metrics" in the Kubernetes documentation.
        """
        return "\n".join([*self._lines(), ""])

    def _count(self, root: str, is_fine: dict[str, bool]) -> None:
        for name, fine in is_fine.items():
            self._last[name, root] = fine
            counted = (name, root, "success" if fine else "error")
            self._counts[counted] = self._counts.get(counted, 0) + 1

    def _lines(self) -> Iterator[str]:
        name = "kubernetes_healthcheck"
        yield from head(name, "gauge", "The last result of each health check.")
        for (check, root), fine in self._last.items():
            yield sample(name, (("name", check), ("type", root)), int(fine))
        name = "kubernetes_healthchecks_total"
        yield from head(name, "counter", "The results of each health check.")
        for (check, root, status), count in self._counts.items():
            yield sample(name, (("name", check), ("status", status), ("type", root)), count)
