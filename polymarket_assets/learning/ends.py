"""SQL: what is known of how markets ended, for everything that is judged or learnt from."""

from __future__ import annotations

# The newest version of each market's resolution as of `$now`; `known_end` is when anything first told the result.
NEWEST = """
    select *, least(decided_seen_at, resolved_at, label_seen_at) as known_end from resolutions where seen_at <= $now
    qualify row_number() over (partition by market_id order by version desc, seen_at desc) = 1
"""

# Of a row with `as_of` and `scheduled_end` beside a row of `NEWEST`: labelled by `$now`, due by then, and from before the result was known.
IS_DECIDED = "state = 'final' and label is not null and label_seen_at <= $now and scheduled_end <= $now and as_of < known_end"
