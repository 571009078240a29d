"""The end of the demo: a page of figures, each held against the truth, and what to look at next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from launch import simulated, truth
from launch.recording import Watched
from launch.stages import Asked, Reported
from polymarket_assets.lake import connected
from polymarket_assets.settings import Settings
from simulator.edge import EDGE_LOGIT

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Line:
    """One figure: what it is, what was seen, and whether that is as it must be (None: nothing to hold it against)."""

    what: str
    seen: str
    good: bool | None = None


def lines(settings: Settings, watched: Watched, learned: Reported, asked: Asked, ledger: Path = simulated.LEDGER) -> list[Line]:  # fmt: skip
    """Every figure of the summary, held against a simulator's ledger."""
    with connected(settings.need_lake_root()) as views:
        return [
            *_counts(views),
            *(_slots(account) for account in truth.slots(views, dict(watched.expected))),
            _trades(truth.trades(views, ledger, watched.until)),
            _labels(truth.labels(views, ledger, watched.until)),
            *_learned(views, learned),
            *_traded(asked, truth.positions(views, ledger)),
        ]


def show(console: Console, found: list[Line]) -> bool:
    """Print the summary; returns whether everything is as it must be."""
    table = Table(title="What the demo recorded and learned", title_justify="left")
    table.add_column("")
    table.add_column("seen")
    table.add_column("", justify="center")
    marks = {True: "[green]✓[/]", False: "[red]✗[/]", None: ""}
    for line in found:
        table.add_row(line.what, line.seen, marks[line.good])
    console.print(table)
    return all(line.good is not False for line in found)


def _counts(views: duckdb.DuckDBPyConnection) -> list[Line]:
    count = views.sql(
        "select (select count(distinct market_id) from markets), (select count(*) from orderbooks), (select count(*) from snapshots), "
        "(select count(distinct market_id) from history_markets), (select count(*) from history_prices), (select count(*) from rejects), (select count(*) from stream_gaps)"
    ).fetchall()[0]  # fmt: skip
    markets, books, snapshots, closed, prices, rejects, gaps = map(int, count)
    return [
        Line("markets listed", f"{markets:,}", markets > 0),
        Line("books, snapshots", f"{books:,}, {snapshots:,}", books > 0 and snapshots > 0),
        Line(
            "closed markets of past days, their prices", f"{closed:,}, {prices:,}", closed > 0 and prices > 0
        ),
        Line(
            "unreadable frames; gaps of the stream (connecting is one)",
            f"{rejects:,}, {gaps:,}",
            rejects == 0,
        ),
    ]


def _slots(account: truth.Slots) -> Line:
    why = f" ({'; '.join(account.reasons)[:80]})" if account.reasons else ""
    seen = f"{account.taken} taken, {account.late} late, {account.missed} missed, {account.unaccounted} unaccounted{why}"
    return Line(
        f"slots of {account.tier.upper()}",
        seen,
        account.unaccounted == 0 and account.taken + account.late > 0,
    )


def _trades(found: truth.Trades) -> Line:
    seen = f"{found.heard:,} of {found.sent:,} handed to our sockets; {found.missing} missing, {found.invented} not in the ledger"
    return Line(
        "trades heard against the simulator's ledger",
        seen,
        found.sent > 0 and not found.missing and not found.invented,
    )


def _labels(found: truth.Labels) -> Line:
    seen = f"{found.labelled} of {found.ended} labelled, {found.wrong} wrong"
    return Line(
        "markets that ended meanwhile, against the ledger",
        seen,
        found.labelled > 0 and not found.wrong and not found.unlabelled,
    )


def _learned(views: duckdb.DuckDBPyConnection, learned: Reported) -> list[Line]:
    rows, live, labelled = views.sql(
        "select (select count(*) from features), (select count(*) from features where source = 'recorded'), (select count(*) from training_set)"
    ).fetchall()[0]  # fmt: skip
    judged, decided = learned.get("evaluation", {}), learned.get("promotion", {})
    verdict = str(judged.get("verdict", "not judged"))
    return [
        Line("feature rows, of these recorded live", f"{rows:,}, {live:,}", rows > 0 and live > 0),
        Line("training rows with a label", f"{labelled:,}", labelled > 0),
        Line("model against the market's own price", verdict, "verdict" in judged),
        Line(
            "what is wrong with prices here",
            f"{simulated.PROFILE.overpaid_logit:g} logit too much for YES, and {EDGE_LOGIT:g} more by a deadline",
        ),
        Line("who is followed", _first(str(decided.get("decisions", ""))), "decisions" in decided),
    ]


def _first(decisions: str) -> str:
    """The sentence above the table of a decision's gates."""
    return decisions.partition("\n")[0].strip("*") or "nobody asked"


def _traded(asked: Asked, held: truth.Positions) -> list[Line]:
    found = f"{held.held} bought, of these {held.no} NO, {held.overpaid} where takers overpaid"
    return [
        Line("predictions stored before the outcome", f"{asked.predictions:,} at {asked.times} instants", asked.predictions > 0),
        Line("paper positions, against the ledger", f"{found}; {held.settled} paid, {held.wrong} of them wrongly", not held.wrong),
    ]  # fmt: skip
