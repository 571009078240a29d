"""`make bootstrap`: the public past of the last days into the lake, as Dagster would fetch it day by day.

Markets first, of all days; then it is known which were traded most, and what asking about them costs; then their prices,
with `TRADES=1` their trades, and how everything ended. A day that is whole is not asked for again: stopped anywhere, the
same command goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table

from launch import bootstrap_plan as plan
from launch import instance, processes
from launch.bootstrap_plan import Wish
from launch.home import PROJECT, settle
from launch.narration import Narration
from polymarket_assets import day_runs
from polymarket_assets.collecting import candidates, queries
from polymarket_assets.collecting.history import closed_days, lives
from polymarket_assets.day_runs import Journal, Ran, Runs
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import Unavailable

DATA = PROJECT / "data"
# What the venue spoils on one pass, the next may find whole.
PASSES = 3
# So many runs in a row without success, and the venue is down: later is better.
MOST_FAILURES = 3
# A run of `resolutions` asks about some thousand markets: so many runs are more than a year of them.
MOST_ROUNDS = 500

Config: TypeAlias = dict[str, Any]


@dataclass
class Bootstrap:
    """One call of the command."""

    wish: Wish
    settings: Settings
    lake: Lake
    runs: Runs
    console: Console
    days: list[date]
    # Days that were fetched; runs that failed one after the other.
    fetched: int = 0
    failed_in_a_row: int = 0
    # What is not whole after all passes, in a sentence each.
    undone: list[str] = field(default_factory=list)

    def go(self) -> int:
        """Fetch what is missing; returns the exit code. Raises `Unavailable` where the venue is down."""
        journal = Journal(self.runs, self.lake, self.days)
        self._tell_estimate(journal)
        self._passes("history_markets", journal.unlisted, None)
        if self.undone:
            # What was traded most is not known before all is listed.
            return self._give_up()
        least, volumes = self._choice()
        self._tell_choice(journal, least, volumes)
        config = {"LEAST_VOLUME_USD": least}
        for asset in ("history_prices", *(("history_trades",) if self.wish.trades else ())):
            self._passes(asset, lambda asset=asset: journal.unfetched(asset, least), config)  # type: ignore[misc]
        versions = self._ends()
        self._tell_end(versions)
        return self._give_up() if self.undone else 0

    def _passes(self, asset: str, missing: Callable[[], list[date]], config: Config | None) -> None:  # fmt: skip
        """Materialise the days that are missing, and again what could not be had; what still cannot is noted."""
        for _ in range(PASSES):
            due = missing()
            if not due:
                break
            with Narration(self.console) as bar:
                task = bar.add_task(f"{asset}: {len(due)} days, the newest first", total=len(due))
                for day in due:
                    self._one(asset, day, config, bar.console)
                    bar.advance(task)
        if still := missing():
            self.undone.append(f"{asset} of {', '.join(map(str, still))} is not whole after {PASSES} passes")

    def _one(self, asset: str, day: date | None, config: Config | None, console: Console) -> Ran:
        ran = self.runs.run(asset, day, config)
        if ran.failure is None:
            self.fetched += day is not None
            self.failed_in_a_row = 0
            return ran
        console.print(f"{asset}{f' of {day}' if day else ''}: {ran.failure}", markup=False, highlight=False)
        self.failed_in_a_row += 1
        if self.failed_in_a_row >= MOST_FAILURES:
            raise Unavailable(f"{MOST_FAILURES} runs in a row failed, the last said: {ran.failure}; what was fetched is kept, and the same command goes on from there")  # fmt: skip
        return ran

    def _give_up(self) -> int:
        for said in self.undone:
            self.console.print(f"{said}: the runs say why; the same command tries again", markup=False)
        return 1

    def _choice(self) -> tuple[float, list[float]]:
        """From which traded volume on markets are asked about, and the volumes of all, the largest first."""
        volumes = sorted(
            (float(row["volume_usd"] or 0.0) for day in self.days for row in closed_days.markets(self.lake, day)),
            reverse=True,
        )  # fmt: skip
        return (volumes[self.wish.markets - 1] if len(volumes) > self.wish.markets else 0.0), volumes

    def _ends(self) -> int:
        """Ask how the markets ended until nothing is left to ask; returns how many versions that made."""
        versions, due, since = 0, self._due(), None
        if not due:
            return 0
        with Narration(self.console) as bar:
            task = bar.add_task(f"resolutions: {due:,} markets", total=due)
            for _ in range(MOST_ROUNDS):
                # Each goes on where the one before it ended: what is not settled stays due.
                config = None if since is None else {"SINCE": since}
                reported = self._one("resolutions", None, config, bar.console).reported
                versions += int(reported.get("versions", 0))
                left, since = int(reported.get("left_for_later", 0)), reported.get("asked_through", since)
                bar.update(task, completed=due - left)
                if reported and not left:
                    return versions
        self.undone.append(f"how markets ended is not asked to the end after {MOST_ROUNDS} runs")
        return versions

    def _due(self) -> int:
        """How many markets are to be asked about how they ended."""
        due = candidates.due(self.lake, now=_now())
        return len(due.asked) + due.left

    # --- what is told ---------------------------------------------------------------------------------

    def _tell_estimate(self, journal: Journal) -> None:
        """Before the first request: what the whole takes, so far as that can be known."""
        unlisted = journal.unlisted()
        if not unlisted:
            # What is left to fetch is known without asking anybody.
            return
        markets = min(self.wish.markets, plan.SUPPOSED_A_DAY * self.wish.days)
        parts = [
            plan.listing(self.settings, unlisted, _now()),
            plan.prices(self.settings, plan.supposed_lives(self.days, markets), _now()),
            *([plan.trades(self.settings, markets)] if self.wish.trades else []),
            *plan.ends(self.settings, plan.SUPPOSED_A_DAY * self.wish.days),
        ]
        self.console.print(f"An estimate for {self.wish.days} days, {len(unlisted)} of them not listed yet, if {plan.SUPPOSED_A_DAY:,} markets closed on each after two weeks, at RATE_SHARE={self.settings.rate_share:g} of the published limits:")  # fmt: skip
        self.console.print(plan.shown(parts))

    def _tell_choice(self, journal: Journal, least: float, volumes: list[float]) -> None:
        """What was listed, and what the rest takes: of days that are not there yet."""
        chosen = sum(volume >= least for volume in volumes)
        priced = self._markets_of(journal.unfetched("history_prices", least), least)
        parts = [
            plan.prices(self.settings, [life for market in priced if (life := lives.life(market))], _now())
        ]
        if self.wish.trades:
            traded = self._markets_of(journal.unfetched("history_trades", least), least)
            parts.append(plan.trades(self.settings, len(traded)))
        self.console.print(f"{len(volumes):,} markets closed; asked about are {chosen:,} of them, traded for ${least:,.0f} or more. What is not here yet takes:")  # fmt: skip
        self.console.print(plan.shown([*parts, *plan.ends(self.settings, self._due())]))

    def _markets_of(self, days: list[date], least: float) -> list[dict[str, Any]]:
        return [market for day in days for market in closed_days.chosen(self.lake, day, least).markets]

    def _tell_end(self, versions: int) -> None:
        self.console.print(_table(self.lake, self.days))
        if not self.fetched and not versions:
            self.console.print("nothing was missing and nothing is changed")
        first, last = self.days[-1], self.days[0]
        self.console.print(
            "next, features of these days and a model of them:\n"
            f"  dagster asset materialize -m polymarket_assets.definitions --select history_features --partition-range {first}...{last}\n"
            "  dagster asset materialize -m polymarket_assets.definitions --select training_set,model,evaluation",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def _table(lake: Lake, days: list[date]) -> Table:
    """What the lake holds of the days."""
    span = Span(Span.day(days[-1]).start, Span.day(days[0]).end)
    with queries.over(lake, history_markets=span, history_prices=span, history_trades=span, resolutions=None) as connection:  # fmt: skip
        counts = connection.execute(_COUNTS).fetchone()
    table = Table(title=f"The past from {days[-1]} to {days[0]}", title_justify="left")
    for heading in ("days", "markets", "prices", "trades", "labels"):
        table.add_column(heading, justify="right")
    table.add_row(f"{len(days)}", *(f"{int(count):,}" for count in counts or ()))
    return table


_COUNTS = """
select (select count(*) from history_markets), (select count(*) from history_prices), (select count(*) from history_trades),
    (select count(distinct market_id) from (
        select market_id, label from resolutions where market_id in (select market_id from history_markets)
        qualify row_number() over (partition by market_id order by version desc) = 1
    ) where label is not null)
"""


def _now() -> datetime:
    return datetime.now(UTC)


def _place(settings: Settings) -> None:
    """This process is one of the installation: its environment, and its instance made."""
    environment = processes.environment(settings)
    instance.make(Path(str(settings.dagster_home)), environment)
    os.environ.update(environment)


def run(*, days: str, markets: str, trades: str) -> int:
    """Fetch the past; returns the exit code.

    Raises:
        NotConfigured: what was asked for, or a setting, cannot be used; nothing was asked of the venue.
        Unavailable: the venue is down; what was fetched is kept.
    """
    wish, settings, console = plan.wish(days, markets, trades, _now()), settle(DATA), Console()
    _place(settings)
    with day_runs.opened() as runs:
        lake = Lake(settings.need_lake_root())
        call = Bootstrap(wish, settings, lake, runs, console, wish.dates(_now()))
        try:
            return call.go()
        except KeyboardInterrupt:
            console.print("stopped: whole days are kept, and the same command goes on from there")
            raise
