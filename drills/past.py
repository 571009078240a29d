"""The past as the simulator made it, and what of it is not in the tables of a lake.

The ledger's first line names the seed, the profile and the start of its universe, which decide everything that was over by
then; from them it is made anew here, and nothing of it has passed through a service, a page or a fault. That it is the same
universe, the ledger's own lines about how markets ended tell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil, floor
from pathlib import Path
from typing import Any

from drills import truth
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from simulator import data, rows
from simulator.exchange import BLOCK_AFTER_S, Exchange
from simulator.market import Market
from simulator.profiles import PROFILES, Profile
from simulator.universe import Universe

# Of markets of the past that are listed at all.
LEAST_VOLUME_USD = 100.0
# How much of a life prices are fetched of, and how finely they are asked for: `docs/collecting.md`.
PRICES_FOR, SPACING_S = timedelta(days=14), 60
# The order-book service, where the Data API has no second generation, tells no spacing and forgets none.
V1_SPACING_S, V1_ALONE_S = 3_600, 86_400
# Rows of a table that are Python's at once.
BATCH = 65_536
# Differences that are named; a person needs the first few.
NAMED = 3


class OtherUniverse(Exception):
    """What was made anew is not what the ledger tells of."""


@dataclass(frozen=True)
class Compared:
    """A table against the truth: how much there is to hold, and what is missing or too much."""

    table: str
    true: int
    missing: list[str]
    extra: list[str]

    def and_(self, more: Compared) -> Compared:
        """Both, told of this table; what is named of the other begins with its name."""
        named = [[f"{more.table} {what}" for what in of] for of in (more.missing, more.extra)]
        return Compared(self.table, self.true + more.true, self.missing + named[0], self.extra + named[1])

    @property
    def equal(self) -> bool:
        """Whether the table is the truth."""
        return not self.missing and not self.extra

    def __str__(self) -> str:
        if self.equal:
            return f"{self.table}: all of {self.true:,}, and nothing else"
        named = [*(f"missing {what}" for what in self.missing[:NAMED]), *(f"not so {what}" for what in self.extra[:NAMED])]  # fmt: skip
        return f"{self.table}: {len(self.missing):,} of {self.true:,} missing, {len(self.extra):,} too much: {'; '.join(named)}"


class Past:
    """What was over when the simulator started."""

    def __init__(self, ledger: Path, profile: Profile | None = None, *, v1: bool = False) -> None:
        self.v1 = v1
        lines = truth.ledger(ledger)
        told = next(line for line in lines if line["kind"] == "universe")
        started = float(told["started_at"])
        made = Universe(told["seed"], profile or PROFILES[told["profile"]], started, told["edge_logit"])
        self.exchange = Exchange(made, told["seed"], lambda: started)
        self.ends = {f"pm:{line['condition_id']}": line for line in lines if line["kind"] == "past"}
        self.over = {f"pm:{m.condition_id}": m for m in made.markets.values() if m.closed(started)}
        if set(self.ends) != set(self.over):
            raise OtherUniverse(f"{len(self.over)} markets were over, the ledger has {len(self.ends)}")

    def closed_on(self, days: Iterable[date]) -> dict[str, Market]:
        """The markets that closed on some days and were traded enough to be listed, by market id."""
        wanted = set(days)
        return {
            market_id: market
            for market_id, market in self.over.items()
            if _instant(market.ending.closed_at).date() in wanted
            and market.has_book
            and rows.market(market, self.exchange.figures(market), self.exchange.clock())["volumeNum"] >= LEAST_VOLUME_USD
        }  # fmt: skip

    def trades(self, market: Market) -> Counter[tuple[Any, ...]]:
        """Block, transaction, outcome, side, price and size of all trades of a market."""
        return Counter(
            (_instant(int(one.at + BLOCK_AFTER_S)), bytes.fromhex(one.tx[2:]), one.side, one.buys, one.price * 1_000, one.size * 10_000)
            for one in self.exchange.tape(market).trades()
        )  # fmt: skip

    def prices(self, market: Market, span: Span, now: datetime) -> Counter[tuple[Any, ...]]:
        """Instant, spacing and price of the canonical token, as finely as the venue had them at an instant."""
        start, end = floor(span.start.timestamp()), ceil(span.end.timestamp())
        points: Iterable[tuple[float, int, float]]
        if self.v1:
            shown = data.prices(market, 0, start, end, V1_SPACING_S, now.timestamp())
            points = ((at, V1_SPACING_S if len(shown) > 1 else V1_ALONE_S, price) for at, price in shown)
        else:
            told = data.prices_and_payout(market, 0, start, end, SPACING_S, now.timestamp())
            points = ((p["timestamp"], p["resolution_seconds"], p["price"]) for p in told if p["resolution_seconds"])  # fmt: skip
        return Counter((_instant(at), spacing_s, round(price * 1_000_000)) for at, spacing_s, price in points if _instant(at) in span)  # fmt: skip


def compare(past: Past, lake: Lake, days: list[date], asked: set[str] | None, now: datetime) -> list[Compared]:  # fmt: skip
    """The four tables of some days against the truth; prices and trades of the markets `asked`, None: of all."""
    true = past.closed_on(days)
    listed = {row["market_id"]: row for row in _rows(lake, "history_markets", days)}
    priced = set(true) & set(listed) & (set(true) if asked is None else asked)
    return [
        _markets(true, listed),
        _prices(past, {id_: true[id_] for id_ in priced}, listed, lake, days, now),
        _trades(past, {id_: true[id_] for id_ in priced}, _rows(lake, "history_trades", days)),
        _ends(past, set(true), lake),
    ]


def _markets(true: dict[str, Market], listed: dict[str, dict[str, Any]]) -> Compared:
    """Which markets closed, when exactly, and their tokens."""
    wanted = Counter((id_, _instant(m.ending.closed_at).replace(microsecond=0), m.tokens) for id_, m in true.items())  # fmt: skip
    held = Counter((id_, row["closed_at"].replace(microsecond=0), tuple(row["token_ids"])) for id_, row in listed.items())  # fmt: skip
    return _compared("history_markets", wanted, held)


def _prices(past: Past, true: dict[str, Market], listed: dict[str, dict[str, Any]], lake: Lake, days: list[date], now: datetime) -> Compared:  # fmt: skip
    """Market by market, since there are millions; each as the venue had it when it was fetched, for it forgets with every day."""
    found = Compared("history_prices", 0, [], [])
    for day in days:
        held = _by_market(lake, day)
        due = {id_ for id_ in true if listed[id_]["close_day"] == day}
        for market_id in sorted(due | set(held)):
            rows = held.get(market_id, [])
            fetched_at = rows[0]["received_at"] if rows else now
            wanted = (
                _life_of(past, true[market_id], listed[market_id], fetched_at)
                if market_id in due
                else Counter()
            )
            named = (tuple(row[name] for name in ("priced_at", "fidelity_s", "price_e6")) for row in rows)
            found = found.and_(_compared(market_id, wanted, Counter(named)))
    return found


def _life_of(
    past: Past, market: Market, row: dict[str, Any], fetched_at: datetime
) -> Counter[tuple[Any, ...]]:
    end = min(row["effective_close"] or row["closed_at"], row["closed_at"])
    start = max(end - PRICES_FOR, _instant(market.listed_at))
    return past.prices(market, Span(start, end), fetched_at) if start < end else Counter()


def _by_market(lake: Lake, day: date) -> dict[str, list[dict[str, Any]]]:
    """The prices of a day."""
    rows = reading.rows(lake, "history_prices", Span.day(day)).select(["market_id", "priced_at", "fidelity_s", "price_e6", "received_at"])  # fmt: skip
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for batch in rows.to_batches(BATCH):
        for row in batch.to_pylist():
            found[row.pop("market_id")].append(row)
    return found


def _trades(past: Past, true: dict[str, Market], held: list[dict[str, Any]]) -> Compared:
    wanted: Counter[tuple[Any, ...]] = Counter()
    for market_id, market in true.items():
        wanted |= Counter({(market_id, *key): n for key, n in past.trades(market).items()})
    names = ("market_id", "traded_at", "tx_hash", "outcome_index", "is_buy", "price_e6", "size_e6")
    return _compared("history_trades", wanted, Counter(tuple(row[name] for name in names) for row in held))


def _ends(past: Past, true: set[str], lake: Lake) -> Compared:
    """What the newest version of each end says, by the ledger's word: the label, and none where there was no winner."""
    newest: dict[str, dict[str, Any]] = {}
    for row in reading.rows(lake, "resolutions").to_pylist():
        if row["market_id"] not in newest or row["version"] > newest[row["market_id"]]["version"]:
            newest[row["market_id"]] = row
    outcomes = {id_: past.ends[id_]["outcome"] for id_ in true}
    wanted = Counter((id_, None if outcome is None else 1 - outcome) for id_, outcome in outcomes.items())
    held = Counter((id_, row["label"]) for id_, row in newest.items() if id_ in past.ends)
    return _compared("resolutions", wanted, held)


def _rows(lake: Lake, table: str, days: list[date]) -> list[dict[str, Any]]:
    found = reading.rows(lake, table).to_pylist()
    return [row for row in found if row["close_day"] in days]


def _compared(table: str, wanted: Counter[tuple[Any, ...]], held: Counter[tuple[Any, ...]]) -> Compared:
    missing, extra = wanted - held, held - wanted
    return Compared(table, wanted.total(), [_said(key) for key in missing.elements()], [_said(key) for key in extra.elements()])  # fmt: skip


def _said(key: tuple[Any, ...]) -> str:
    return " ".join(part.hex() if isinstance(part, bytes) else str(part) for part in key)


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
