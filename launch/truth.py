"""The demo's proof: what reached the lake, as its views tell, held against the simulator's ledger of everything it sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# A trade sent in the last moment before the lake was read may still be on its way.
ON_ITS_WAY = timedelta(seconds=3)
# What a payout may differ by: shares are kept as floating-point numbers.
CENT = 0.01


@dataclass(frozen=True)
class Trades:
    """Trades handed to our sockets, those heard, and the difference both ways."""

    sent: int
    heard: int
    missing: int
    invented: int


@dataclass(frozen=True)
class Slots:
    """A tier's slots by how they went."""

    tier: str
    taken: int
    late: int
    missed: int
    unaccounted: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Labels:
    """Markets that ended during the demo, those labelled, and labels that differ from the truth."""

    ended: int
    labelled: int
    wrong: int
    unlabelled: int


@dataclass(frozen=True)
class Positions:
    """What was bought on paper: all of it, of that NO, of that where takers overpaid; what was paid, and what was paid wrongly."""

    held: int
    no: int
    overpaid: int
    settled: int
    wrong: int


def ledger(file: Path) -> Iterator[dict[str, object]]:
    """The ledger's lines; a last line still being written is not one yet."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def trades(views: duckdb.DuckDBPyConnection, truth: Path, until: datetime) -> Trades:
    """Compare by transaction and token; only trades sent well before `until` can be missed."""
    sent = Counter(
        (str(line["tx_hash"]), str(line["token_id"]), _at(line) <= until - ON_ITS_WAY)
        for line in ledger(truth)
        if line["kind"] == "trade" and line["sockets"]
    )
    due = {(tx, token) for tx, token, early in sent if early}
    known = {(tx, token) for tx, token, _ in sent}
    rows = views.sql("select '0x' || lower(hex(tx_hash)), token_id from trades_raw").fetchall()
    heard = Counter((str(tx), str(token)) for tx, token in rows)
    invented = sum(heard.values()) - sum(1 for pair in heard if pair in known)
    return Trades(len(due), sum(1 for pair in heard if pair in due), len(due - heard.keys()), invented)


def slots(views: duckdb.DuckDBPyConnection, expected: dict[str, int]) -> list[Slots]:
    """The account of every tier that a window was run for, against the slots its windows had."""
    rows = views.sql(
        "select tier, count(*) filter (status = 'taken'), count(*) filter (status = 'late'), count(*) filter (status = 'missed'), "
        "list(distinct reason) filter (reason is not null) from sweeps group by tier"
    )
    accounts = {str(row[0]): row[1:] for row in rows.fetchall()}
    return [
        Slots(tier, *accounts.get(tier, (0, 0, 0))[:3], max(0, due - sum(accounts.get(tier, (0, 0, 0))[:3])), tuple(accounts.get(tier, (0, 0, 0, []))[3] or ()))
        for tier, due in sorted(expected.items())
    ]  # fmt: skip


def labels(views: duckdb.DuckDBPyConnection, truth: Path, asked_at: datetime) -> Labels:
    """Markets of `markets` that the simulator resolved before `asked_at`, and what `resolutions` says of them."""
    recorded = {row[0] for row in views.sql("select distinct condition_id from markets").fetchall()}
    said = dict(
        views.sql(
            "select substr(market_id, 4), arg_max({'state': state, 'label': label}, version) from resolutions group by market_id"
        ).fetchall()
    )
    ended = {
        str(line["condition_id"]): line["outcome"]
        for line in ledger(truth)
        if line["kind"] == "resolved" and line["condition_id"] in recorded and _at(line) <= asked_at
    }
    known = {
        condition: said[condition]
        for condition in ended
        if condition in said and said[condition]["state"] in ("final", "split")
    }
    # A 50/50 ending has no winner in the ledger: outcome null, label null.
    wrong = sum(1 for condition, answer in known.items() if _winner(answer["label"]) != ended[condition])
    return Labels(len(ended), len(known), wrong, len(ended) - len(known))


def positions(views: duckdb.DuckDBPyConnection, truth: Path) -> Positions:
    """Paper positions against what the simulator knows: by how much prices were wrong, and what shares were worth at the end."""
    lines = [line for line in ledger(truth) if line["kind"] in ("listed", "resolved")]
    edges = {line["condition_id"]: line["edge_logit"] for line in lines if line["kind"] == "listed"}
    payouts = {line["condition_id"]: line["payouts"] for line in lines if line["kind"] == "resolved"}
    rows = views.sql(
        "select substr(market_id, 4), outcome_index, shares, payout_usd from paper_positions"
    ).fetchall()  # fmt: skip
    paid = [row for row in rows if row[3] is not None]
    wrong = [row for row in paid if abs(row[2] * payouts[row[0]][row[1]] - row[3]) > CENT]
    no = sum(row[1] == 1 for row in rows)
    return Positions(len(rows), no, sum(edges[row[0]] > 0 for row in rows), len(paid), len(wrong))


def _winner(label: int | None) -> int | None:
    """The index of the outcome that won, as the ledger tells it."""
    return None if label is None else 1 - label


def _at(line: dict[str, object]) -> datetime:
    return datetime.fromisoformat(str(line["at"]))
