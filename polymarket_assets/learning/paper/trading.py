"""One run of paper trading: predictions that are new, decided in order of time with the money there was, and what was settled since.

A prediction is decided when all that could fill its order has been recorded and filed. What a run does then depends on the lake
alone, not on when it runs: one that is repeated, or comes hours late, writes the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.backtest import books, terms
from polymarket_assets.learning.backtest.portfolio import End, Portfolio, Position
from polymarket_assets.learning.backtest.rules import Rules
from polymarket_assets.learning.backtest.strategies import MODEL, STRATEGIES, Wishes
from polymarket_assets.learning.backtest.trading import Decisions, Done, Trader
from polymarket_assets.learning.evidence.grid import us
from polymarket_assets.learning.paper import ledger
from polymarket_assets.learning.paper.ledger import Account, Row, instant

# A model that nobody ran for so long is not read back to; what was not decided by then never is.
LOOK_BACK = timedelta(days=7)
# A model that is new is decided from its first word, if that was within a day of the last run of the others.
NEW_WITHIN = timedelta(days=1)
# Times of venue and platform may differ by less: the end of a market may be seen before its first fill was filed.
_APART = timedelta(days=1)


@dataclass(frozen=True)
class Traded:
    """What a run did, over all its models; `through`: all up to here is decided."""

    through: datetime
    models: tuple[str, ...] = ()
    decided: int = 0
    # Predictions without a standard deviation: nothing tells how wrong they may be.
    unbounded: int = 0
    orders: int = 0
    fills: int = 0
    settled: int = 0


def trade(lake: Lake, *, now: datetime, model_version: str | None = None, rules: Rules | None = None) -> Traded:  # fmt: skip
    """Decide predictions of all models (or one) that are new and whose books have come, settle what was seen to resolve, and publish.

    Safe to repeat and to kill: `paper_orders` and `paper_positions` are written first, `paper_accounts` last.

    Raises:
        LakeUnwritable: what was written does not count yet; the call can be repeated.
    """
    rules = rules or Rules()
    until = now - _settles_after(rules)
    known = {name: a for name, a in ledger.accounts(lake).items() if model_version in (None, name)}
    new = _predictions(lake, known, until, model_version, rules)
    runs = []
    for model in sorted({*new.column("model_version").unique().to_pylist(), *known}):
        account = known.get(model, Account(model, rules.bankroll_usd))
        rows = _of_model(new, account)
        # Something to decide, or to settle; that a model fell silent is written once, so that nothing is read for it any more.
        if account.through_us < us(until) and (rows.num_rows or not account.is_silent):
            runs.append(_Run(lake, rules, account, until, rows).run())
    names = ("decided", "unbounded", "orders", "fills", "settled")
    return Traded(until, tuple(name for name, _ in runs), **{n: sum(c[n] for _, c in runs) for n in names})


def _settles_after(rules: Rules) -> timedelta:
    """When a decision's books have all come: it may be stored up to `wait_s` late, and its order waits as long."""
    return timedelta(seconds=rules.latency_s + 2 * rules.wait_s + rules.filed_s)


def _predictions(lake: Lake, known: dict[str, Account], until: datetime, model_version: str | None, rules: Rules) -> pa.Table:  # fmt: skip
    """Predictions that are not decided yet, stored in time for an order, with `from_at`: when that could be at the venue."""
    after = _undecided_since(known, until)
    given = {
        "model": model_version, "after": after, "until": until,
        "latency": timedelta(seconds=rules.latency_s), "wait": timedelta(seconds=rules.wait_s),
    }  # fmt: skip
    with queries.over(lake, predictions=Span(after, until + timedelta.resolution)) as connection:
        found: pa.Table = connection.sql(_PREDICTIONS, params=given).to_arrow_table()
    return found


def _undecided_since(known: dict[str, Account], until: datetime) -> datetime:
    """Where the model that lags most stands, of those that still speak, and a day for those that are new; `LOOK_BACK` where all are.

    Where all are silent, their newest run: it found nothing of any.
    """
    floor = until - LOOK_BACK
    through = [a.through for a in known.values() if a.through is not None]
    lagging = [a.through for a in known.values() if a.through is not None and not a.is_silent]
    recent = [at for at in lagging or [max(through, default=floor)] if at > floor]
    return min([*recent, until - NEW_WITHIN]) if recent else floor


def _of_model(new: pa.Table, account: Account) -> pa.Table:
    rows = new.filter(pc.equal(new.column("model_version"), account.model_version))
    if account.through is not None:
        rows = rows.filter(pc.greater(rows.column("as_of"), pa.scalar(account.through, rows.schema.field("as_of").type)))  # fmt: skip
    return rows


@dataclass(frozen=True)
class _Run:
    """A model's run from its account to `until`."""

    lake: Lake
    rules: Rules
    account: Account
    until: datetime
    rows: pa.Table

    def run(self) -> tuple[str, dict[str, int]]:
        """Trade, settle, publish; the model's name and what was counted."""
        trader = Trader(self.rules, ledger.rebuilt(self.lake, self.account))
        ends = self._ends(trader.portfolio)
        for market in trader.portfolio.open.keys() & ends.keys():
            trader.portfolio.expect(market, ends[market])
        schedules = terms.schedules(self.lake, self.rows)
        met = books.executable(self.lake, self.rows.select(["market_id", "from_at"]), wait_s=self.rules.wait_s)  # fmt: skip
        decisions, wishes = Decisions.of(self.rows, schedules, met, ends), STRATEGIES[MODEL](self.rows, self.rules, 0)  # fmt: skip
        trader.trade(decisions, wishes, wishes.order(self.rows))
        trader.settle(us(self.until))
        return self.account.model_version, self._published(trader, decisions, wishes)

    def _ends(self, portfolio: Portfolio) -> dict[str, End]:
        """How markets ended as seen by `until`; what was filed late counts from this run on, so that no account changes afterwards."""
        names = pa.array([*portfolio.open, *self.rows.column("market_id").unique().to_pylist()], pa.string())
        first = pc.min(self.rows.column("as_of")).as_py() or self.until
        since = min(first, self.account.open_since or first) - _APART
        found = terms.ends(self.lake, names, known_by=self.until, since=since)
        return {name: End(max(end.at_us, self.account.through_us + 1), end.payout) for name, end in found.items()}  # fmt: skip

    def _published(self, trader: Trader, of: Decisions, wishes: Wishes) -> dict[str, int]:
        orders = [self._order(done, of, wishes) for done in trader.done if done.fate.is_order]
        bought = {of.market[done.row] for done in trader.done if done.fill is not None}
        changed = [self._position(trader.portfolio.open[m]) for m in bought & trader.portfolio.open.keys()]
        changed += [self._position(s.position, instant(s.at_us), s.payout_usd) for s in trader.settled]
        account = ledger.after(self.account, trader.portfolio, self.until)
        counts = {
            "decided": self.rows.num_rows, "unbounded": self.rows.column("correction_sd").null_count, "orders": len(orders),
            "fills": sum(order["executed_at"] is not None for order in orders), "settled": len(trader.settled),
        }  # fmt: skip
        ledger.publish(self.lake, "paper_orders", orders, self.account, self.until)
        ledger.publish(self.lake, "paper_positions", changed, self.account, self.until)
        ledger.publish_account(self.lake, account, counts, trader.portfolio.locked_usd)
        return counts

    def _order(self, done: Done, of: Decisions, wishes: Wishes) -> Row:
        row, fill, at = done.row, done.fill, instant(of.at_us[done.row])
        model, market = self.account.model_version, of.market[row]
        filled = {"executed_at": instant(int(of.books.at_us[row])), "price": fill.price} if fill else {}
        return {
            "order_id": f"{model}:{market}:{at:%Y-%m-%dT%H:%M:%S.%fZ}", "model_version": model, "market_id": market, "group_id": of.group[row],
            "decided_at": at, "executed_at": None, "outcome_index": int(wishes.outcome[row]), "belief": float(wishes.belief[row]),
            "mid": float(wishes.mid[row]), "shares": fill.shares if fill else 0.0, "fee_usd": fill.fee_usd if fill else 0.0,
            "cost_usd": fill.cost_usd if fill else 0.0, "fate": done.fate.value, **filled,
        }  # fmt: skip

    def _position(self, of: Position, settled_at: datetime | None = None, payout_usd: float | None = None) -> Row:  # fmt: skip
        model = self.account.model_version
        return {
            "position_id": f"{model}:{of.market_id}", "model_version": model, "market_id": of.market_id, "group_id": of.group_id,
            "opened_at": instant(of.opened_us), "settled_at": settled_at, "outcome_index": of.outcome, "shares": of.shares,
            "cost_usd": of.cost_usd, "fee_usd": of.fee_usd, "payout_usd": payout_usd, "fills": of.fills,
        }  # fmt: skip


_PREDICTIONS = """
select
    model_version, market_id, coalesce(group_id, 'market:' || market_id) as group_id, as_of, mid, probability, correction_sd,
    greatest(as_of + $latency, created_at) as from_at
from predictions
where as_of > $after and as_of <= $until and created_at <= as_of + $latency + $wait and ($model is null or model_version = $model)
qualify row_number() over (partition by model_version, market_id, as_of order by created_at) = 1
order by all
"""
