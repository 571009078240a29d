"""The commands of the streamer. Each ends in one clear sentence where it cannot do its work."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from polymarket_assets.venue.errors import PolymarketError, Refused, Unavailable

if TYPE_CHECKING:
    from polymarket_assets.lake.writing import Lake

_DAY_S = 86_400.0
# Written and removed again before anything begins: a folder that takes nothing is told at once.
_PROBE = "_streamer"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING if getattr(given, "quiet", False) else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    command: Callable[[argparse.Namespace], int] = given.command
    try:
        return command(given)
    except PolymarketError as e:
        print(f"streamer: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(given: argparse.Namespace) -> int:
    from polymarket_assets.settings import load
    from streamer import running

    settings = load()
    lake = _writable(settings.need_lake_root())
    _roomy(settings.need_state_dir())
    return running.run(settings, lake, refresh_s=given.refresh_s)


def _seal(given: argparse.Namespace) -> int:
    from polymarket_assets.settings import load
    from streamer import sealing

    sealing.limit()
    settings = load()
    lake, state_dir = _writable(settings.need_lake_root()), _folder(settings.need_state_dir())
    until_now = given.until == "now"
    if not settings.shard.seals:
        sealing.publish(lake, state_dir, datetime.now(UTC), until_now=until_now)
        if not given.quiet:
            print(f"what shard {settings.stream_shard} heard is in the lake; shard 0 seals")
        return 0
    report = sealing.seal(lake, state_dir, clock=lambda: datetime.now(UTC), until_now=until_now)
    for hour, rows in report.sealed.items():
        print(f"sealed {hour:%Y-%m-%d %H:00}: " + ", ".join(f"{n:,} {table}" for table, n in rows.items()))
    if not report.sealed and not given.quiet:
        print("nothing new to seal")
    for hour in report.held:
        print(f"not sealed {hour:%Y-%m-%d %H:00}: the journal still holds rows of it", file=sys.stderr)
    for told in report.failed:
        print(f"not sealed: {told}; its parts stay and are read as they are", file=sys.stderr)
    return 1 if report.failed else 0


def _replay(given: argparse.Namespace) -> int:
    from streamer import replay

    # That the capture ends is no news worth a warning.
    logging.disable(logging.WARNING)
    counts = replay.replay(given.files)
    print(f"messages {counts.messages}")
    for kind, held in (("frames", counts.frames), ("rows", counts.rows)):
        for name, count in sorted(held.items()):
            print(f"{kind} {name} {count}")
    return 0


def _status(given: argparse.Namespace) -> int:
    from polymarket_assets.settings import load
    from streamer import status

    addresses = [given.at.rstrip("/")] if given.at else load().stream_statuses
    silent = 0
    for address in addresses:
        if len(addresses) > 1:
            print(f"# {address}")
        try:
            print(status.ask(address, f"/{given.page}"))
        except Unavailable as e:
            silent += 1
            print(f"streamer: {e}", file=sys.stderr)
    return 1 if silent else 0


def _writable(root: str) -> Lake:
    """The lake, once it is known that it takes a file. Raises `LakeUnwritable`, `Refused`."""
    from polymarket_assets.lake.writing import Lake

    lake = Lake(root)
    try:
        lake.store.write_bytes(_PROBE, b"")
        lake.store.remove(_PROBE)
    except OSError as e:
        raise Refused(
            f"LAKE_ROOT={root} cannot be used: {e.strerror}; name a folder that can be written"
        ) from e
    return lake


def _folder(path: Path) -> Path:
    """A folder of operating state, made where it is missing. Raises `Refused`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise Refused(
            f"STATE_DIR={path} cannot be used: {e.strerror}; name a folder that can be written"
        ) from e
    return path


def _roomy(path: Path) -> Path:
    """A folder of operating state that takes a file. Raises `Refused`."""
    probe = _folder(path) / _PROBE
    try:
        probe.write_bytes(b"room")
    except OSError as e:
        raise Refused(
            f"STATE_DIR={path} cannot be written: {e.strerror}; make room, also by `python -m streamer seal`, "
            "which brings what is waiting there to the lake"
        ) from e
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return path


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < _DAY_S:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0 and below a day")
    return seconds


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text} is no address, as http://127.0.0.1:8081")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m streamer", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="record the market socket until stopped", description="Record what the venue's market socket says of the markets near their end into LAKE_ROOT, until SIGTERM or Ctrl-C.")  # fmt: skip
    run.add_argument("--refresh-s", type=_seconds, default=30.0, metavar="SECONDS", help="how often the markets to listen to are looked up in the lake (default: %(default)s)")  # fmt: skip
    run.set_defaults(command=_run)

    seal = commands.add_parser("seal", help="close hours that are over", description="Merge the parts of every hour that is over into one file per table, named by a manifest. Repeating it changes nothing. Where streamers share the markets (STREAM_SHARDS) shard 0 seals; any other brings what it heard to the lake.")  # fmt: skip
    seal.add_argument("--until", choices=["now"], help="also what was heard of the open hour so far; a running streamer is asked to publish it first")  # fmt: skip
    seal.add_argument("--quiet", action="store_true", help="say only what was sealed or could not be")
    seal.set_defaults(command=_seal)

    replay = commands.add_parser("replay", help="count what captures hold", description="Read captures of the socket as if they were heard now, and print exact counts of frames and rows.")  # fmt: skip
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a capture: JSON lines, or one message")  # fmt: skip
    replay.set_defaults(command=_replay)

    status = commands.add_parser("status", help="what a running streamer says of itself", description="Print a page of each streamer that STREAM_STATUS_URLS names, or of the one that runs on STREAM_STATUS_PORT. Ends with 1 where one does not answer.")  # fmt: skip
    status.add_argument("page", nargs="?", default="health", choices=["health", "critical", "coverage", "subscriptions", "metrics"], help="which one (default: %(default)s)")  # fmt: skip
    status.add_argument("--at", type=_address, metavar="ADDRESS", help="of this one alone, for example http://127.0.0.1:8081")  # fmt: skip
    status.set_defaults(command=_status)
    return parser


if __name__ == "__main__":
    sys.exit(main())
