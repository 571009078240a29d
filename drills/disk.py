"""`python -m drills.disk`: a full lake, a full journal, a read-only lake; then the space returns.

Lake and state folder lie on small file systems in memory (tmpfs), which are filled to the last byte or made read-only while the
streamer records. It must say so in clear words, keep its memory, tear no file, and lack nothing afterwards
but what a gap names.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from drills import truth
from drills.disks import Disk, enter_namespace
from drills.judging import doubled_rows, invented, lost, unaccounted
from drills.kill import RATE
from drills.processes import Simulator, Streamer, busy, wait_for
from polymarket_assets.lake.writing import Lake

# Longer than a venue waits for PING, shorter than it takes to fill the disk that is not meant to be full.
HELD_S = 25.0
DISK_MB = 256
# Two batches of 200,000 rows may wait in memory, about 60 MB each, and what they are made of.
GROWTH_MB = 400.0
# The disk is looked at again every second or every five; everything must be well soon after.
WELL_AGAIN_S = 30.0
_IN_FLIGHT = timedelta(seconds=1)
_SAMPLE_S = 0.25


@dataclass(frozen=True)
class Finding:
    """Something that had to be so, and how it was."""

    case: str
    promise: str
    kept: bool
    told: str = ""


class Case:
    """A streamer on two small disks, with a simulator before it."""

    def __init__(self, name: str, folder: Path, options: list[str], held_s: float) -> None:
        self.name, self.held_s = name, held_s
        folder.mkdir()
        self.lake_disk, self.state_disk = (
            Disk(folder / "lake_disk", DISK_MB),
            Disk(folder / "state_disk", DISK_MB),
        )
        self.lake = Lake(self.lake_disk.folder / "lake")
        self.simulator = Simulator(folder, options)
        self.streamer = Streamer(
            Path(self.lake.root),
            self.state_disk.folder / "state",
            self.simulator.url,
            folder / "streamer.log",
        )
        self.findings: list[Finding] = []
        self._started = self._ended = datetime.now(UTC)

    def find(self, promise: str, kept: bool, told: object = "") -> None:
        """Note how something was."""
        self.findings.append(Finding(self.name, promise, kept, str(told)))

    def begin(self) -> None:
        """Record, until all is well."""
        self.simulator.discover(self.lake)
        self.streamer.start()
        wait_for(lambda: self.streamer.is_hearing and self.streamer.is_recovered, "data")
        self._started = datetime.now(UTC)

    def stop(self) -> None:
        """End on purpose: what is sent from now on is not ours."""
        self._ended = datetime.now(UTC) - _IN_FLIGHT
        self.find("ends well", (code := self.streamer.end()) == 0, code)

    def hurt(self, begin: Callable[[], None], end: Callable[[], None], words: str) -> None:
        """Hold a disk in its bad state for a while; the log must say these words, memory must not grow."""
        before, most = self.streamer.resident_mb, 0.0
        begin()
        until = time.monotonic() + self.held_s
        while time.monotonic() < until:
            most = max(most, self.streamer.resident_mb)
            time.sleep(_SAMPLE_S)
        said = [line for line in self.streamer.said.splitlines() if words in line and "ERROR" in line]
        self.find(f"says “{words}”, once", len(said) == 1, said[0][24:] if said else "it says nothing of it")
        health: dict[str, Any] = self.streamer.health()
        self.find(
            "/health is troubled and says why",
            bool(health.get("trouble") or health.get("reasons")),
            health.get("trouble") or health.get("reasons") or health.get("status"),
        )
        self.find("memory stays", most - before < GROWTH_MB, f"{before:.0f} MB, then {most:.0f} MB at most")
        self.find(
            "no file is torn", not (torn := truth.unreadable(truth.published(Path(self.lake.root)))), torn
        )
        end()
        self.find("all is well again soon", self._is_well(), self.streamer.health().get("trouble", ""))

    def refuses(self, promise: str, *command: str, words: str) -> None:
        """A command must end with 1 and one sentence."""
        before = len(self.streamer.said)
        code = self.streamer.run(*command)
        said = self.streamer.said[before:]
        self.find(
            promise,
            code == 1 and words in said and "Traceback" not in said,
            f"{code}: {said.strip().splitlines()[-1:]}",
        )

    def finish(self) -> list[Finding]:
        """Seal, and compare with the ledger."""
        self.find("is sealed afterwards", self.streamer.run("seal", "--until", "now") == 0)
        self.simulator.stop()
        lines = truth.ledger(self.simulator.ledger)
        sent = list(truth.sent(lines, self._started, self._ended))
        recorded = truth.recorded(self.lake, truth.begun_at(lines), {trade.key for trade in sent})
        for judge in (lost, unaccounted, invented, doubled_rows):
            verdict = judge(sent, recorded, [])
            self.find(
                verdict.promise,
                not verdict.violations,
                f"{verdict.judged:,} judged, {len(verdict.violations)} violations {list(verdict.violations[:3]) or ''}",
            )
        torn = truth.unreadable(truth.published(Path(self.lake.root)))
        self.find("every file opens in three readers", not torn, torn)
        left = [path.name for path in Path(self.lake.root).rglob(".*.draft")]
        self.find("no draft is left", not left, left)
        self.find("no traceback in the log", "Traceback" not in self.streamer.said)
        return self.findings

    def close(self) -> None:
        """End what still runs."""
        if self.streamer.is_alive:
            self.streamer.end(9)
        self.simulator.stop()

    def _is_well(self) -> bool:
        """Whether data is heard again and nothing troubles it; what it said before the space came back does not count."""
        since = datetime.now(UTC).isoformat()

        def well() -> bool:
            health = self.streamer.health()
            return health.get("status") == "listening" and str(health.get("last_data")) > since

        try:
            return wait_for(well, "well", WELL_AGAIN_S)
        except TimeoutError:
            return False


def full_lake(case: Case) -> None:
    """The lake is full while rows are to be published, and while an hour is to be sealed."""
    case.begin()

    def begin() -> None:
        case.lake_disk.fill()
        case.streamer.spawn("seal", "--until", "now")  # asks for what was heard to be published now

    case.hurt(begin, case.lake_disk.empty, "no space is left")
    case.find("what waited is published", case.streamer.run("seal", "--until", "now") == 0)
    time.sleep(2)
    case.stop()
    case.lake_disk.fill()
    case.refuses("seal refuses in one sentence", "seal", "--until", "now", words="no space is left")
    case.lake_disk.empty()


def full_journal(case: Case) -> None:
    """The journal is full: nothing is read until it can be written, and what was not heard is a gap."""
    case.begin()
    case.hurt(case.state_disk.fill, case.state_disk.empty, "nothing is read until it can be written")
    case.stop()
    case.state_disk.fill()
    case.refuses("run refuses in one sentence", "run", words="cannot be written")
    case.state_disk.empty()


def read_only_lake(case: Case) -> None:
    """The lake becomes read-only."""
    case.begin()

    def begin() -> None:
        case.lake_disk.read_only(True)
        (next(case.streamer.state_dir.glob("stream/2*")) / "flush").touch()

    case.hurt(begin, lambda: case.lake_disk.read_only(False), "it is read-only")
    case.stop()
    case.lake_disk.read_only(True)
    case.refuses("run refuses in one sentence", "run", words="read-only")
    case.refuses("seal refuses in one sentence", "seal", words="read-only")
    case.lake_disk.read_only(False)


CASES = {"full lake": full_lake, "full journal": full_journal, "read-only lake": read_only_lake}


def main(arguments: list[str] | None = None) -> int:
    """Drill and judge; 1 where something was not as promised."""
    given = _parser().parse_args(arguments)
    try:
        if (
            code := enter_namespace("drills.disk", sys.argv[1:] if arguments is None else arguments)
        ) is not None:
            return code
    except PermissionError as e:
        print(f"drills.disk: {e}", file=sys.stderr)
        return 2
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="drill-disk-"))
    console.print(f"file systems of {DISK_MB} MB in memory (tmpfs), in {folder}", highlight=False)
    findings: list[Finding] = []
    for number, (name, hurt) in enumerate(CASES.items()):
        console.print(f"{name} …", style="dim")
        case = Case(name, folder / str(number), busy(given.seed, given.rate), given.held_s)
        try:
            hurt(case)
            findings += case.finish()
        finally:
            case.close()
    console.print(_shown(findings))
    return 0 if all(finding.kept for finding in findings) else 1


def _shown(findings: list[Finding]) -> Table:
    shown = Table("case", "promise", "", "as it was")
    for f in findings:
        shown.add_row(
            f.case, f.promise, "kept" if f.kept else "BROKEN", f.told, style="" if f.kept else "red"
        )
    return shown


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills.disk", description=__doc__)
    parser.add_argument(
        "--held-s", type=float, default=HELD_S, help="how long a disk stays bad (default: %(default)s)"
    )
    parser.add_argument(
        "--rate", type=int, default=RATE, help="messages a second, of a busy profile (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=7, help="of the simulator (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
