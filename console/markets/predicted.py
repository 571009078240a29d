"""What models said of a market beside its price, stored before anybody knew the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.blocks import Block, Chart, Empty, Grid, Link
from console.charting import spec
from console.markets import linking, slices
from console.markets.spans import look
from console.place import Place
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.report import charts
from polymarket_assets.report.charts import Frame
from polymarket_assets.report.subject import Subject

# Lines of a chart, and rows of a table.
_VERSIONS, _POINTS = 9, 2_000
_MARKET = "market (mid)"


@dataclass(frozen=True)
class Prediction:
    """A model's probability of the canonical outcome beside the price at that instant."""

    model_version: str
    role: str | None
    as_of: datetime
    created_at: datetime
    mid: float
    probability: float
    correction_sd: float | None


def predictions(place: Place, found: Subject, choice: str, most: int | None = None) -> list[Prediction]:
    """Those of a span, the newest first, so many at the most. Raises `LakeError`."""
    hours = look([found], choice, place.clock()).hours
    if hours is None:
        return []
    rows = slices.rows(place, "predictions", [found.market_id], Span(hours.start, hours.end + HOUR))
    rows = rows.drop_columns("market_id").sort_by([("as_of", "descending"), ("model_version", "ascending")])
    return [Prediction(**row) for row in rows.slice(0, most).to_pylist()]


def shown(place: Place, said: list[Prediction]) -> list[Block]:
    """The newest of each version beside the price, and all of them over time."""
    if not said:
        return [Empty("No model spoke of it in this span: predictions are made for markets within the horizons of a champion, shadow or challenger, after each window.",
                      "dagster asset materialize -m polymarket_assets.definitions --select predictions")]  # fmt: skip
    newest = {p.model_version: p for p in reversed(said)}
    rows = [_row(place, p) for p in sorted(newest.values(), key=lambda p: p.as_of, reverse=True)]
    headings = [
        "version",
        "role",
        "as of",
        "market",
        "model",
        "difference, c",
        "± (sd of the correction, logits)",
    ]
    return [Grid(headings, rows), Chart("predicted", spec(_chart(said, list(newest))), "Each version's probability over the market's price at the same instants.")]  # fmt: skip


def _row(place: Place, said: Prediction) -> list[Any]:
    address = linking.version(place, said.model_version)
    version = Link(said.model_version, address) if address else said.model_version
    difference = (said.probability - said.mid) * 100
    return [version, said.role, said.as_of, said.mid, said.probability, round(difference, 2), said.correction_sd]  # fmt: skip


def _chart(said: list[Prediction], versions: list[str]) -> Any:
    drawn = [p for p in said[:_POINTS] if p.model_version in versions[:_VERSIONS]][::-1]
    lines = [{"drawn_at": p.as_of, "price": p.probability, "label": p.model_version} for p in drawn]
    mids = {p.as_of: p.mid for p in drawn}
    market = [{"drawn_at": at, "price": mid, "label": _MARKET} for at, mid in mids.items()]
    first, last = drawn[0].as_of, drawn[-1].as_of
    margin = max((last - first) / 50, HOUR / 12)
    return charts.legs([*market, *lines], [_MARKET, *versions[:_VERSIONS]], [], Frame(Span(first - margin, last + margin)))  # fmt: skip
