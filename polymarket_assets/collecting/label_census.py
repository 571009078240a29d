"""How many markets the strict rule labels and how many it declines, and why: of a lake, or of rows of the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from polymarket_assets.collecting import queries
from polymarket_assets.collecting.settlement import Decision
from polymarket_assets.lake.writing import Lake

# Imports bring labels by rules of their own, and versions of before had no name of the rule.
NO_RULE = "–"


@dataclass(frozen=True)
class Line:
    """Markets that one line of the rule judged alike; `example` is the reason of one of them."""

    source: str
    state: str
    rule: str
    markets: int
    ones: int
    zeros: int
    example: str


def census(lake: Lake, *, now: datetime) -> list[Line]:
    """The newest version of every market that has one, by source, state and line of the rule; the largest first."""
    with queries.over(lake, resolutions=None) as connection:
        found = connection.execute(_CENSUS, [now]).fetchall()
    return [Line(*row) for row in found]


_CENSUS = f"""
with newest as (
    select source, state, coalesce(rule, '{NO_RULE}') as rule, label, market_id, version from resolutions where seen_at <= ?
    qualify row_number() over (partition by market_id order by version desc) = 1
), counted as (
    select source, state, rule, count(*) as markets, count(*) filter (label = 1) as ones, count(*) filter (label = 0) as zeros,
        arg_min({{'market_id': market_id, 'version': version}}, market_id) as one
    from newest group by source, state, rule
)
select c.source, c.state, c.rule, markets, ones, zeros, r.reason
from counted c join resolutions r on r.market_id = one.market_id and r.version = one.version
order by markets desc, c.source, c.state, c.rule
"""


def of(decisions: Iterable[Decision], source: str) -> list[Line]:
    """The same of decisions that were never written."""
    held = list(decisions)
    counts = Counter((each.state, each.rule) for each in held)
    labels = Counter((each.state, each.rule, each.label) for each in held)
    example = {(each.state, each.rule): each.reason for each in reversed(held)}
    return [
        Line(source, *key, count, labels[*key, 1], labels[*key, 0], example[key])
        for key, count in counts.most_common()
    ]


def markdown(lines: Iterable[Line]) -> str:
    """A table for a page of Dagster."""
    head = (
        "| source | state | rule | markets | label 1 | label 0 | for example |\n|---|---|---|--:|--:|--:|---|"
    )
    rows = [
        f"| {each.source} | {each.state} | {each.rule} | {each.markets:,} | {each.ones:,} | {each.zeros:,} | {each.example} |"
        for each in lines
    ]
    return "\n".join([head, *rows])
