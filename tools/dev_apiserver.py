"""Run a lone API server on loopback, for developing against: no nodes, no controllers.

    python tools/dev_apiserver.py --port 7443 --dir /tmp/dev-api &
    export KUBECONFIG=/tmp/dev-api/kubeconfig

Beside the administrator's kubeconfig there is one for each component's user in the folder.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from pilotfish.apiserver.server import ApiServer
from pilotfish.cluster import pki
from support.apiserver import api_server_config, write_kubeconfig


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=7443)
    parser.add_argument("--dir", type=Path, default=Path("/tmp/dev-api"))
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    url = f"https://127.0.0.1:{arguments.port}"
    config = api_server_config(arguments.dir, arguments.port)
    for identity in (pki.ADMIN, pki.CONTROLLER_MANAGER, pki.SCHEDULER, pki.PROXY, pki.DNS):
        path = write_kubeconfig(arguments.dir, url, identity)
    print(f"kubeconfig: {path.parent / 'kubeconfig'}", flush=True)

    async def serve() -> None:
        await ApiServer(config).run()

    try:
        uvloop.run(serve())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return


if __name__ == "__main__":
    main()
