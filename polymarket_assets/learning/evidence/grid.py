"""The decision grid: at which instants of a market's life a row is made (ML.md 2.2).

Instants lie at fixed hours before the effective close *as it was known at the instant itself*, so a
market's rows never tell when it really ended. Markets planned to live under an hour hold no or hardly any
point of that grid; an extension of ours gives them further points at fractions of their planned life.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from polymarket_assets.lake.spans import Span
from polymarket_assets.venue.instants import EPOCH

# Hours to the effective close; negative: overdue, in play, still trading.
HOURS: tuple[float, ...] = (
    336, 240, 168, 120, 96, 72, 48, 36, 24, 18, 12, 8, 6, 4, 3, 2, 1, 0.5, 0.25, -0.5, -1, -2, -4,
)  # fmt: skip
FURTHEST_H = max(HOURS)

# A market planned to live less than this also gets rows at these shares of its planned life left.
SHORT_LIFE_H = 1.0
FRACTIONS_LEFT: tuple[float, ...] = (0.75, 0.5, 0.25, 0.1)

_US_PER_HOUR = 3_600_000_000
# Beyond all instants.
NEVER_US = 2**62


def instants(lives: str, span: Span) -> str:
    """SQL: the decision instants in the span of the versions of markets in relation `lives`.

    A version has `scheduled_end`, `planned_life_h` (known at listing) and the time `[known_from_us, known_to_us)` in which it was the newest knowledge.
    """
    return f"""
        select m, life, as_of_us, horizon_h from (
            select *, epoch_us(scheduled_end) - (horizon_h * {_US_PER_HOUR})::bigint as as_of_us
            from (
                select *, unnest({_listed(HOURS)}) as horizon_h from {lives}
                union all by name
                select *, planned_life_h * unnest({_listed(FRACTIONS_LEFT)}) as horizon_h from {lives}
                where planned_life_h > 0 and planned_life_h < {SHORT_LIFE_H}
            )
        )
        where as_of_us >= known_from_us and as_of_us < known_to_us and as_of_us >= {us(span.start)} and as_of_us < {us(span.end)}
        qualify row_number() over (partition by m, as_of_us order by horizon_h) = 1
    """


def us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def planned_rows(life_h: str) -> str:
    """SQL: how many grid points a market of that planned life was to have, at least 1; unknown: the whole grid before the close."""
    before = _listed(tuple(h for h in HOURS if h > 0))
    return f"""greatest(1, case when {life_h} is null then len({before})
        else len(list_filter({before}, lambda h: h < {life_h}))
             + case when {life_h} > 0 and {life_h} < {SHORT_LIFE_H} then {len(FRACTIONS_LEFT)} else 0 end end)"""


def _listed(numbers: tuple[float, ...]) -> str:
    return "[" + ", ".join(f"{number!r}::double" for number in numbers) + "]"
