"""The ledger: a portfolio from its tables, and its tables from what it did. Nothing else remembers.

An account says up to when all is decided; orders and positions beyond it are those of a run that died, and do not count.
Each table has one part per model and day, written whole: a position that is paid days later is rewritten in its day's part,
for a part of the same name replaces the former one. That is why these tables are not among those that are compacted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.learning.backtest.portfolio import Portfolio, Position
from polymarket_assets.learning.evidence.grid import us
from polymarket_assets.venue.instants import EPOCH

Row = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """A portfolio at an instant; `through` None: it has decided nothing yet."""

    model_version: str
    cash_usd: float
    realised_usd: float = 0.0
    fees_usd: float = 0.0
    through: datetime | None = None
    open_since: datetime | None = None
    # Predictions that its last run decided.
    decided: int = 0

    @property
    def is_silent(self) -> bool:
        """Whether its last run found nothing to decide, and nothing is open: its model is no longer asked."""
        return not self.decided and self.open_since is None

    @property
    def through_us(self) -> int:
        """Microseconds since 1970; −1 before the first decision."""
        return us(self.through) if self.through else -1


def accounts(lake: Lake) -> dict[str, Account]:
    """The newest account of each model: a file a model and day, some milliseconds a month."""
    rows = reading.rows(lake, "paper_accounts").sort_by("through").to_pylist()
    kept = ("model_version", "cash_usd", "realised_usd", "fees_usd", "through", "open_since", "decided")
    return {row["model_version"]: Account(**{name: row[name] for name in kept}) for row in rows}


def rebuilt(lake: Lake, account: Account) -> Portfolio:
    """The portfolio of an account, its open positions from the orders since the oldest of them."""
    found = Portfolio(account.cash_usd, realised_usd=account.realised_usd, fees_usd=account.fees_usd)
    for position in _open(lake, account).values():
        found.hold(position)
    return found


def _open(lake: Lake, account: Account) -> dict[str, Position]:
    if account.through is None or account.open_since is None:
        return {}
    span = Span(account.open_since, account.through + timedelta.resolution)
    settled = {
        row["market_id"] for row in _of(lake, "paper_positions", span, account.model_version)
        if row["settled_at"] is not None and row["settled_at"] <= account.through
    }  # fmt: skip
    held: dict[str, Position] = {}
    for order in sorted(_of(lake, "paper_orders", span, account.model_version), key=lambda o: o["decided_at"]):  # fmt: skip
        if order["executed_at"] is None or order["decided_at"] > account.through or order["market_id"] in settled:  # fmt: skip
            continue
        _add(held, order)
    return held


def _add(held: dict[str, Position], order: Row) -> None:
    """A filled order, added to its position."""
    opened = us(order["decided_at"])
    position = held.setdefault(
        order["market_id"], Position(order["market_id"], order["group_id"], order["outcome_index"], opened)
    )
    position.shares += order["shares"]
    position.cost_usd += order["cost_usd"]
    position.fee_usd += order["fee_usd"]
    position.fills, position.book_us = position.fills + 1, us(order["executed_at"])


def publish(lake: Lake, table: str, rows: Iterable[Row], account: Account, until: datetime) -> None:
    """Write rows of an account's model, decided up to `until`, into the parts of their days, in place of those of the same key and of a run that died."""
    declared = TABLES[table]
    (key,), at = declared.key, str(declared.filed_by)
    days: dict[date, list[Row]] = {
        row[at].date(): [] for row in _left_behind(lake, table, at, account, until)
    }
    for row in rows:
        days.setdefault(row[at].date(), []).append(row)
    for day, new in days.items():
        fresh = {row[key] for row in new}
        before = _of(lake, table, Span.day(day), account.model_version)
        kept = [row for row in before if row[key] not in fresh and not _is_beyond(row, at, account)]
        _write(lake, table, account.model_version, day, [*kept, *new])


def _left_behind(lake: Lake, table: str, at: str, account: Account, until: datetime) -> list[Row]:
    """Rows of a run that died: the next one need not write on their days."""
    span = Span(account.through, until + timedelta.resolution) if account.through else None
    return [row for row in _of(lake, table, span, account.model_version) if _is_beyond(row, at, account)]


def _is_beyond(row: Row, at: str, account: Account) -> bool:
    return account.through is None or row[at] > account.through


def publish_account(lake: Lake, account: Account, counts: dict[str, int], locked_usd: float) -> None:
    """Write an account's row, last of all: from then on what the run did counts."""
    assert account.through is not None
    row = {
        "model_version": account.model_version, "through": account.through, "cash_usd": account.cash_usd, "locked_usd": locked_usd,
        "realised_usd": account.realised_usd, "fees_usd": account.fees_usd, "open_since": account.open_since, **counts,
    }  # fmt: skip
    day = account.through.date()
    before = _of(lake, "paper_accounts", Span.day(day), account.model_version)
    _write(lake, "paper_accounts", account.model_version, day, [*(r for r in before if r["through"] < account.through), row])  # fmt: skip


def after(account: Account, portfolio: Portfolio, through: datetime) -> Account:
    """The account of a portfolio that has decided and settled up to an instant."""
    opened = [position.opened_us for position in portfolio.open.values()]
    return replace(
        account, cash_usd=portfolio.cash_usd, realised_usd=portfolio.realised_usd, fees_usd=portfolio.fees_usd,
        through=through, open_since=instant(min(opened)) if opened else None,
    )  # fmt: skip


def _of(lake: Lake, table: str, span: Span | None, model_version: str) -> list[Row]:
    rows = reading.rows(lake, table, span)
    found: list[Row] = rows.filter(pc.equal(rows.column("model_version"), model_version)).to_pylist()
    return found


def _write(lake: Lake, table: str, model_version: str, day: date, rows: list[Row]) -> None:
    made: pa.Table = table_of(table, rows)
    by = [(name, "ascending") for name in TABLES[table].key]
    lake.publish(table, made.sort_by(by), part=model_version.replace("/", ":"), at=day)


def instant(at_us: int) -> datetime:
    """Microseconds since 1970 as an instant, exactly; `grid.us` gives them back."""
    return EPOCH + timedelta(microseconds=at_us)
