"""`python -m console`: serve the console of this installation."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from contextlib import suppress

from rich.console import Console

from polymarket_assets.settings import load
from polymarket_assets.venue.errors import PolymarketError, Refused

# Connections at once; a browser opens six.
_CONNECTIONS = 128
_GRACE_S = 3


def main() -> int:
    """0 when told to stop, 2 where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m console", description=__doc__)
    parser.add_argument("--port", type=_port, help="CONSOLE_PORT, unless it is named here")
    asked = parser.parse_args()
    try:
        return _serve(asked.port)
    except PolymarketError as e:
        Console(stderr=True).print(str(e), style="red", highlight=False, markup=False, soft_wrap=True)
        return 2


def _port(said: str) -> int:
    if not (said.isdecimal() and 0 < int(said) < 65_536):
        raise argparse.ArgumentTypeError(f"{said!r} is no port, 1 … 65535")
    return int(said)


def _serve(port: int | None) -> int:
    import uvicorn

    from console import lean
    from console.app import made
    from console.place import Place

    settings = load()
    lean.begin()
    app = made(Place(settings))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_S, lifespan="on",
    )  # fmt: skip
    server = uvicorn.Server(config)
    with _listening(settings.console_host, port or settings.console_port) as here:
        Console().print(f"The console listens on {settings.console_host}, port {here.getsockname()[1]}; Ctrl-C stops it.", highlight=False)  # fmt: skip
        # Once it has stopped, uvicorn raises the signal that told it to.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[here])
    return 0 if server.started else 2


def _listening(host: str, port: int) -> socket.socket:
    """A port of an interface, as nobody else has it. Raises `Refused`."""
    here = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        here.bind((host, port))
    except OSError as e:
        here.close()
        raise Refused(f"port {port} of {host} cannot be used ({e.strerror}): stop what listens there, set CONSOLE_PORT to a free one, or CONSOLE_HOST to an interface of this machine") from e  # fmt: skip
    return here


if __name__ == "__main__":
    sys.exit(main())
