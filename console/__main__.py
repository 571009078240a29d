"""`python -m console`: serve the console of this installation."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from polymarket_assets.settings import load
from polymarket_assets.venue.errors import PolymarketError

# Threads that make pages: more would only wait for the same two cores.
_THREADS = 8
# Connections at once; a browser opens six.
_CONNECTIONS = 128
_GRACE_S = 3


def main() -> int:
    """0 when told to stop, 2 where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m console", description=__doc__)
    parser.add_argument("--port", type=int, help="CONSOLE_PORT, unless it is named here")
    asked = parser.parse_args()
    try:
        return _serve(asked.port)
    except PolymarketError as e:
        Console(stderr=True).print(str(e), style="red", highlight=False, markup=False, soft_wrap=True)
        return 2


def _serve(port: int | None) -> int:
    import uvicorn

    from console.app import made
    from console.place import Place

    settings = load()
    app = made(Place(settings))
    config = uvicorn.Config(
        app, host=settings.console_host, port=port or settings.console_port, log_level="warning", access_log=False, server_header=False,
        limit_concurrency=_CONNECTIONS, timeout_graceful_shutdown=_GRACE_S, lifespan="off",
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 2


if __name__ == "__main__":
    sys.exit(main())
