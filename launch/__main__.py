"""`python -m launch up | pages | demo | bootstrap | compose-check | simulated`: what `make` calls of the same names."""

from __future__ import annotations

import argparse
import signal
import sys

from polymarket_assets.venue.errors import PolymarketError


def main() -> int:
    """Run one command; a fault of the world outside is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(
        prog="python -m launch", description="Start the platform's processes together."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="the platform against the venue that the settings name")
    commands.add_parser(
        "pages", help="the pages of console, Dagster and MLflow alone, to look at what was recorded"
    )
    demo = commands.add_parser(
        "demo", help="the platform against the simulator, narrated and held against the truth"
    )
    demo.add_argument("--once", action="store_true", help="leave with an exit code instead of staying up")
    past = commands.add_parser("bootstrap", help="fetch the public past: closed markets, their prices and how they ended")  # fmt: skip
    past.add_argument("--days", default="", help="so many days before today (default 14)")
    past.add_argument("--markets", default="", help="prices of so many markets, the most traded (default 5000)")  # fmt: skip
    past.add_argument("--trades", default="", metavar="1|0", help="fetch their trades too")
    commands.add_parser("compose-check", help="whether docker-compose.yml, alone and with deploy/compose.scale.yml, holds together and its services start")  # fmt: skip
    alone = commands.add_parser("simulated", help="the processes of the demo alone")
    alone.add_argument("--tethered", action="store_true", help="stop when standard input ends")
    given = parser.parse_args()
    # Whoever asks politely gets the same clean stop as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(given)
    except PolymarketError as e:
        print(f"{given.command}: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(given: argparse.Namespace) -> int:
    if given.command == "demo":
        from launch import demo

        return demo.run(once=given.once)
    if given.command == "simulated":
        from launch import simulated

        return simulated.run(tethered=given.tethered)
    if given.command == "bootstrap":
        from launch import bootstrap

        return bootstrap.run(days=given.days, markets=given.markets, trades=given.trades)
    if given.command == "compose-check":
        from launch import compose_check

        return compose_check.run()
    from launch import up

    return up.show() if given.command == "pages" else up.run()


if __name__ == "__main__":
    sys.exit(main())
