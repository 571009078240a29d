"""The end of the demo's paper trading: how each portfolio stands, and why one is empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import paper
from polymarket_assets.learning.backtest import results
from polymarket_assets.learning.paper import Standing

_PRICE = "says the market's own price: by its own word there is nothing to gain"
_NAMES = ("model", "free", "open, at cost", "worth at the mid", "settled", "realised", "return on what was settled")  # fmt: skip


def show(console: Console, lake: Lake, version: str, kappa: float) -> None:
    """Print how the portfolios stand, and of those that bought nothing, why. `version`: the model that was trained, the others
    say the price; `kappa`: how much of its correction it believes."""
    standing = paper.portfolio(lake, now=datetime.now(UTC))
    table = Table(title="Paper portfolios", title_justify="left", show_header=False)
    for line in zip(_NAMES, *map(_column, standing), strict=True):
        table.add_row(*line)
    console.print(table)
    for one in standing:
        if not one.open.num_rows and not one.settled:
            trained = one.model_version == version
            why = why_empty(_counts(lake, version), kappa) if trained else _PRICE
            console.print(f"{one.model_version} bought nothing: it {why}")


def why_empty(counted: Mapping[str, int], kappa: float) -> str:
    """Why nothing was bought, from what was `decided` and `unbounded` and the orders by their fate."""
    fates = {name: count for name, count in counted.items() if name not in ("decided", "unbounded")}
    if fates:
        return "sent orders that were not filled: " + ", ".join(
            f"{count} {fate}" for fate, count in fates.items()
        )
    if not counted["decided"]:
        return "was not asked in time: none of its predictions was due to be decided"
    if not kappa:
        return "says the price: on markets it had not seen, no correction gained more than chance shows once in twenty times (kappa 0)"
    return f"lay nearer to the price than its own doubt in all of {counted['decided']:,} forecasts"


def _column(one: Standing) -> tuple[str, ...]:
    roi = (
        f"{results.of_interval(one.roi)}"
        if one.groups >= results.TELLING_GROUPS
        else f"{one.groups} groups: too few to tell"
    )
    return (
        one.model_version, f"${one.cash_usd:,.2f}", f"{one.open.num_rows:,} (${one.locked_usd:,.2f})", f"${one.marked_usd:,.2f}",
        f"{one.settled:,} in {one.groups:,} groups", f"{'-' if one.realised_usd < 0 else '+'}${abs(one.realised_usd):,.2f}", roi,
    )  # fmt: skip


def _counts(lake: Lake, model_version: str) -> dict[str, int]:
    """What a model's runs decided, and its orders by their fate, the most frequent first."""
    asked = {"model": model_version}
    with opening.connected() as connection:
        for table in ("paper_accounts", "paper_orders"):
            reading.add_view(connection, table, reading.files(lake, table))
        decided, unbounded = connection.execute(
            "select coalesce(sum(decided), 0)::int, coalesce(sum(unbounded), 0)::int from paper_accounts where model_version = $model", asked
        ).fetchall()[0]  # fmt: skip
        fates = connection.execute(
            "select fate, count(*) from paper_orders where model_version = $model group by fate order by 2 desc",
            asked,
        ).fetchall()
    return {"decided": decided, "unbounded": unbounded, **dict(fates)}
