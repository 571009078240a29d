"""`python -m drills.faults`: what can go wrong with the market socket, one thing after the other, while the streamer records.

Of each fault: after how many seconds it was detected and healed, how many trades were not heard, whether every
one of them lies in a gap of the right cause that begins and ends with the fault, and that nothing was done
about what is no fault (duplicates, bursts, quiet markets).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from drills import truth
from drills.judging import Gap, Recorded, Sent, doubled_trades, missing_trades
from drills.processes import ALL_TIERS, Simulator, Streamer, busy, wait_for
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

# Several sockets, so that a fault of one leaves others to compare with.
TOKENS_EACH = 100
# Trades sent in the last moment need not have been read.
SLACK = timedelta(seconds=1)
# Everything must be heard again this long after a fault is over, or after it can be got round.
HEALED_WITHIN_S = 120.0
_LOOK_S = 0.1
# Of the table where it goes to a file.
WIDTH = 180
# Markets are listed this often; one that is over meanwhile has no book to wait for.
DISCOVER_S = 10.0
# A subscription takes a moment, as new markets are listed all the time: that gap is none of a fault's.
MOMENT = timedelta(seconds=1)
# Messages a second of all markets together: a socket says something fifty times a second, or every twenty seconds.
LIVELY_RATE = 600
QUIET_RATE = 0.5

Health = dict[str, Any]
Line = dict[str, Any]


def _lost(before: Health, now: Health) -> bool:
    return bool(now["reconnects"] > before["reconnects"])


def _froze(before: Health, now: Health) -> bool:
    return bool(now["audits"]["frozen"] > before["audits"]["frozen"]) or _lost(before, now)


def _reseeded(before: Health, now: Health) -> bool:
    return bool(sum(now["audits"]["reseeds"].values()) > sum(before["audits"]["reseeds"].values()))


def _rejected(before: Health, now: Health) -> bool:
    return bool(now["frames"].get("rejected", 0) > before["frames"].get("rejected", 0))


def _overdue(before: Health, now: Health) -> bool:
    return bool(now["tokens"]["late"] > before["tokens"]["late"])


@dataclass(frozen=True)
class Case:
    """A fault: how long it lasts, how it shows in `/health`, how soon it must, and the causes of its gaps."""

    fault: str | None
    given: Mapping[str, Any] = field(default_factory=dict)
    for_s: float = 30.0
    # None: there is nothing to detect, and nothing must be done.
    shows: Callable[[Health, Health], bool] | None = None
    within_s: float = 20.0
    causes: tuple[str, ...] = ()
    # Sockets are closed when it begins, so that it meets new ones.
    closes: bool = False

    @property
    def name(self) -> str:
        """For people."""
        said = ", ".join(f"{name} {value}" for name, value in self.given.items())
        return f"{self.fault or 'nothing'} ({said})" if said else self.fault or "nothing"


# A gap `subscribe` belongs to faults during which sockets are new or messages late: a market that ended just then has no
# book any more, and one that is listed meanwhile waits for its first.
CASES: tuple[Case, ...] = (
    Case("freeze_socket", {"sockets": 1}, 40, _lost, 20, ("silent",)),
    Case("half_open", {"sockets": 1}, 40, _lost, 20, ("silent",)),
    Case("freeze_tokens", {"share": 0.2, "sockets": "open", "resubscribing_heals": True}, 60, _froze, 60, ("silent",)),
    Case("freeze_tokens", {"share": 0.2, "sockets": 1}, 150, _froze, 60, ("silent", "subscribe")),
    Case("silent_cap", {"tokens": 12}, 60, _overdue, 60, ("closed", "subscribe", "connect"), closes=True),
    Case("invalid_operation", {}, 30, None, causes=("subscribe",)),
    Case("close", {"code": 1013}, 0, _lost, 5, ("closed", "subscribe")),
    Case("close", {"code": 1006}, 0, _lost, 5, ("closed", "subscribe")),
    Case("refuse", {}, 90, _lost, 5, ("closed", "subscribe"), closes=True),
    Case("torn_json", {"chance": 0.2}, 15, _rejected, 5, ("unreadable", "subscribe")),
    Case("wrong_book", {"changes": 3}, 30, _reseeded, 30),
    Case("no_pong", {}, 40),
    Case("duplicate", {}, 20),
    Case("reorder", {}, 20),
    Case("delay", {"delay_s": 5.0}, 20, causes=("subscribe",)),
    Case("old_forms", {}, 20),
    Case("burst", {"every_s": 10.0}, 25, causes=("subscribe",)),
    Case("clock_skew", {"skew_s": 60.0}, 20),
)  # fmt: skip


@dataclass
class Result:
    """What came of a case; seconds count from the beginning of the fault."""

    case: Case
    began: datetime
    ended: datetime
    detected_s: float | None = None
    healed_s: float | None = None
    acted: str = ""
    unheard: int = 0
    # Of the unheard, those that `trades` holds once after healing.
    healed: int = 0
    unexplained: int = 0
    gaps: list[Gap] = field(default_factory=list)
    # Markets that the ledger says the fault met.
    touched: frozenset[str] = frozenset()

    @property
    def last_s(self) -> float | None:
        """When the last of it was healed: all is covered as far as the streamer knows, and every gap is over."""
        ends = [(gap.to_at - self.began).total_seconds() for gap in self.gaps]
        return None if self.healed_s is None else max([self.healed_s, *ends])

    @property
    def wrong(self) -> list[str]:
        """What is not as it has to be."""
        said = []
        if self.case.shows is not None and (self.detected_s is None or self.detected_s > self.case.within_s):
            said.append(f"not detected within {self.case.within_s:.0f} s")
        if self.healed_s is None:
            said.append("not healed")
        if self.case.shows is None and not self.case.causes and (self.acted or self.gaps):
            said.append(f"a false alarm: {self.acted or [gap.cause for gap in self.gaps]}")
        if self.unexplained:
            said.append(f"{self.unexplained} trades unheard outside every gap")
        said += [f"a gap of cause {gap.cause}" for gap in self.gaps if gap.cause not in self.case.causes]
        said += ["a gap of a market the fault did not touch" for gap in self.gaps if self._is_astray(gap)]
        said += [
            f"{gap.inside} rows heard within a gap" for gap in self.gaps if gap.inside and self._is_exact(gap)
        ]
        return said

    def _is_exact(self, gap: Gap) -> bool:
        """Whether nothing at all was heard in it: not where some messages could not be read, nor where only the book of a market did not come."""
        return gap.cause not in ("unreadable", "subscribe")

    def _is_astray(self, gap: Gap) -> bool:
        is_of_one = gap.markets is not None and len(gap.markets) == 1
        return bool(
            is_of_one and self.touched and gap.markets is not None and not gap.markets <= self.touched
        )


class Drill:
    """A simulator and a streamer that records it."""

    def __init__(self, folder: Path, options: list[str]) -> None:
        self.simulator = Simulator(folder, options)
        self.lake = Lake(folder / "lake")
        more = {
            "POLYMARKET_CLOB_URL": self.simulator.settings.polymarket_clob_url,
            "STREAM_MAX_TOKENS_PER_CONNECTION": str(TOKENS_EACH),
            "RATE_SHARE": "1",
            **ALL_TIERS,
        }
        self.streamer = Streamer(folder / "lake", folder / "state", self.simulator.url, folder / "streamer.log", more)  # fmt: skip
        self.began: datetime | None = None
        self._discovered_at = -DISCOVER_S

    def start(self) -> None:
        """Record, until everything is heard and a pace is known."""
        self.discover()
        self.streamer.start()
        wait_for(self.is_whole, "whole coverage")
        self.began = datetime.now(UTC)
        time.sleep(15)

    def is_whole(self) -> bool:
        """Whether every market that should be heard is, but for those listed this moment."""
        covered = self.streamer.page("coverage")
        return bool(covered.get("tiers")) and covered["missing_count"] == 0

    def run(self, case: Case) -> Result:
        """Let a fault happen, and see what is done about it."""
        wait_for(lambda: (self.discover(), self.is_whole())[1], "whole coverage", HEALED_WITHIN_S)
        before = self.streamer.health()
        began, start = datetime.now(UTC), time.monotonic()
        given = {**case.given, **({"for_s": case.for_s} if case.for_s else {})}
        if case.fault is not None:
            self.simulator.control("POST", f"/faults/{case.fault}", given)
        if case.closes:
            self.simulator.control("POST", "/faults/close", {"code": 1012, "sockets": "open"})
        result = Result(case, began, began + timedelta(seconds=case.for_s))
        self._watch(result, before, start)
        return result

    def discover(self) -> None:
        """List markets every now and then: those that are over must not be waited for."""
        if time.monotonic() - self._discovered_at >= DISCOVER_S:
            self.simulator.discover(self.lake)
            self._discovered_at = time.monotonic()

    def _watch(self, result: Result, before: Health, start: float) -> None:
        case = result.case
        while (passed := time.monotonic() - start) < case.for_s + HEALED_WITHIN_S:
            self.discover()
            now = self.streamer.health()
            if (
                "session" in now
                and case.shows is not None
                and result.detected_s is None
                and case.shows(before, now)
            ):
                result.detected_s = passed
            seen = case.shows is None or result.detected_s is not None
            over = passed >= case.for_s
            if (
                now
                and result.healed_s is None
                and seen
                and (over or case.shows is not None)
                and self.is_whole()
            ):
                result.healed_s = passed
            if over and result.healed_s is not None:
                break
            time.sleep(_LOOK_S)
        after = wait_for(
            lambda: (page := self.streamer.health()).get("session") and page, "an answer of the streamer"
        )
        done = {"reconnects": after["reconnects"] - before["reconnects"], "frozen": after["audits"]["frozen"] - before["audits"]["frozen"]}  # fmt: skip
        result.acted = ", ".join(f"{count} {name}" for name, count in done.items() if count)

    def finish(self) -> None:
        """Stop, bring everything to the lake, and heal."""
        self.streamer.end()
        self.streamer.run("seal", "--until", "now")
        if self.began is not None:
            self.simulator.build_trades(self.lake, Span(self.began, datetime.now(UTC)))
        self.simulator.stop()


def judge(results: list[Result], sent: list[Sent], recorded: Recorded, faults: list[Line]) -> None:
    """Hold what was heard against the ledger: by case, the trades unheard, those that no gap explains, and its gaps."""
    unheard = [one for one in sent if one.due and not recorded.heard[one.key]]
    for number, result in enumerate(results):
        until = results[number + 1].began if number + 1 < len(results) else datetime.max.replace(tzinfo=UTC)
        mine = [one for one in unheard if result.began <= one.at < until]
        result.gaps = [
            gap for gap in recorded.gaps if result.began <= gap.to_at < until and not _is_usual(gap)
        ]
        result.touched = frozenset(
            f"pm:{condition_id}"
            for line in faults
            if line["fault"] == result.case.fault
            and result.began - SLACK <= datetime.fromisoformat(line["at"]) < until
            for condition_id in line["condition_ids"]
        )
        result.unheard = len(mine)
        result.healed = sum(recorded.trades[one.key] == 1 for one in mine)
        result.unexplained = sum(not any(gap.covers(one) for gap in recorded.gaps) for one in mine)


def _is_usual(gap: Gap) -> bool:
    """Whether it comes of new markets that were listed meanwhile, as they always are."""
    return gap.cause in ("connect", "subscribe") and gap.to_at - gap.from_at <= MOMENT


def main(arguments: list[str] | None = None) -> int:
    """Drill and judge; 1 where something was not as it has to be."""
    given = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    folder = Path(tempfile.mkdtemp(prefix="drill-faults-"))
    rate = QUIET_RATE if given.quiet else given.rate
    drill = Drill(folder, busy(given.seed, rate))
    console.print(f"in {folder}", style="dim", highlight=False)
    results: list[Result] = []
    try:
        drill.start()
        for case in _chosen(given):
            console.print(f"{case.name} …", style="dim", highlight=False)
            results.append(drill.run(case))
        quiet, ended = drill.streamer.health()["audits"], datetime.now(UTC) - SLACK
    finally:
        drill.finish()
    lines = truth.ledger(drill.simulator.ledger)
    sent = list(truth.sent(lines, results[0].began, ended))
    recorded = truth.recorded(drill.lake, truth.begun_at(lines), {one.key for one in sent})
    judge(results, sent, recorded, [line for line in lines if line["kind"] in ("fault_begin", "fault_end")])
    console.print(_shown(results))
    healed = [missing_trades(sent, recorded, ()), doubled_trades(sent, recorded, ())]
    for verdict in healed:
        console.print(f"{verdict.promise}: {verdict.judged:,} judged, {len(verdict.violations)} violations {', '.join(verdict.violations[:5])}", highlight=False)  # fmt: skip
    console.print(f"{len(sent):,} trades, {quiet['checks']} book hashes, {quiet['reseeds']} asked for anew, {quiet['asked']:,} midpoints asked", highlight=False)  # fmt: skip
    return 1 if any(result.wrong for result in results) or any(v.violations for v in healed) else 0


def _chosen(given: argparse.Namespace) -> list[Case]:
    if given.quiet:
        return [Case(None, for_s=given.quiet * 60)]
    return [case for case in CASES if not given.only or case.fault in given.only]


def _shown(results: list[Result]) -> Table:
    shown = Table(
        "fault",
        "detected after s",
        "healed after s",
        "trades unheard",
        "in trades",
        "gaps",
        "done about it",
        "",
    )
    for result in results:
        causes = sorted({gap.cause for gap in result.gaps})
        shown.add_row(
            result.case.name,
            "–" if result.detected_s is None else f"{result.detected_s:.1f}",
            "–" if result.last_s is None else f"{result.last_s:.1f}",
            str(result.unheard),
            str(result.healed) if result.unheard else "",
            f"{len(result.gaps)} {', '.join(causes)}" if result.gaps else "none",
            result.acted or "nothing",
            "; ".join(dict.fromkeys(result.wrong)) or "as it has to be",
            style="red" if result.wrong else "",
        )
    return shown


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills.faults", description=__doc__)
    parser.add_argument("--only", nargs="*", metavar="FAULT", help="these faults (default: all)")
    parser.add_argument("--rate", type=float, default=LIVELY_RATE, help="messages a second of all markets together (default: %(default)s)")  # fmt: skip
    parser.add_argument("--quiet", type=float, metavar="MINUTES", help="no fault, but for so many minutes markets that hardly say a word: nothing may be done about them")  # fmt: skip
    parser.add_argument("--seed", type=int, default=7, help="of the simulator (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
