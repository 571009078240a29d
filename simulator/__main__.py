"""`python -m simulator serve | replay`."""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from simulator import DEFAULT_PORT, DEFAULT_SEED
from simulator.edge import EDGE_LOGIT
from simulator.profiles import LESSON, PROFILES
from simulator.server import PortBusy, Server, Venue

# Three ports follow one another.
HIGHEST_PORT = 65_533


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(given.make(given), given.port))
    except (PortBusy, ValueError, OSError) as e:
        print(f"simulator: {e}", file=sys.stderr)
        return 1
    return 0


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} is no finite number")
    return value


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{port} is no port of three: 0 to {HIGHEST_PORT}")
    return port


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A local venue on loopback.")
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve", help="a generated universe, with a ledger of the truth")
    serve.add_argument("--seed", type=int, default=DEFAULT_SEED)
    serve.add_argument("--profile", choices=sorted(PROFILES), default="demo")
    serve.add_argument("--edge", type=_finite, default=EDGE_LOGIT, help="logit by which markets by a deadline are overpriced")  # fmt: skip
    serve.add_argument("--overpaid", type=_finite, help=f"logit by which takers overpay for YES on Yes/No markets (default: as the profile says: 0, or {LESSON.overpaid_logit:g} in lesson)")  # fmt: skip
    serve.add_argument("--v1-data", action="store_true", help="the Data API's first version answers too")
    serve.add_argument("--no-v2-data", action="store_true", help="the Data API's second version is not there")
    serve.add_argument("--rate", type=_finite, help="frames a second that the profile busy sends to one who listens to all (default 2,000)")  # fmt: skip
    serve.add_argument(
        "--times", type=_finite, default=1.0, help="so many times the profile's places for markets"
    )
    serve.add_argument("--faults", type=Path, metavar="FILE", help="what goes wrong and when, as JSON lines")
    serve.set_defaults(make=_generated)
    replay = commands.add_parser("replay", help="recorded payloads and socket captures, as they were")
    replay.add_argument("folder", type=Path, metavar="DIR")
    replay.add_argument("--speed", type=_finite, default=1.0, help="how many times faster than recorded")
    replay.set_defaults(make=_replayed)
    for command in (serve, replay):
        command.add_argument("--ledger", type=Path, help="where everything sent is written, as JSON lines")
        command.add_argument("--port", type=_port, default=DEFAULT_PORT, help="HTTP; the socket and the control port follow; 0: free ones")  # fmt: skip
    return parser


def _generated(given: argparse.Namespace) -> Callable[[], Venue]:
    from simulator.generated import venue

    return lambda: venue(seed=given.seed, ledger=given.ledger, profile=given.profile, edge=given.edge, overpaid=given.overpaid, v1_data=given.v1_data, v2_data=not given.no_v2_data, faults=given.faults, rate=given.rate, places=given.times)  # fmt: skip


def _replayed(given: argparse.Namespace) -> Callable[[], Venue]:
    from simulator.replayed import venue

    return lambda: venue(given.folder, ledger=given.ledger, speed=given.speed)


async def _serve(make: Callable[[], Venue], port: int) -> None:
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    server = Server(make())
    ports = await server.start(port)
    print(f"simulator: {ports.base('')}{{gamma,clob,data}} · {ports.ws} · {ports.control_url}/summary", flush=True)  # fmt: skip
    try:
        await server.until(ended)
    finally:
        await server.stop()


if __name__ == "__main__":
    sys.exit(main())
