"""Guards of features: nothing in a row changes with what came after it, and nothing in it names an end."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import TABLES
from polymarket_assets.learning.audit import lakes
from polymarket_assets.learning.audit.audited import Audit, Finding
from polymarket_assets.learning.evidence.recorded import RECORDED
from polymarket_assets.learning.features.catalogue import FEATURES

# Words that only the end of a market can say.
OF_THE_END = frozenset(
    {
        "label",
        "payouts_e6",
        "winner",
        "outcome_prices",
        "uma_status",
        "resolved_at",
        "decided_seen_at",
        "label_seen_at",
        "state",
        "closed_time",
    }
)


def truncation(audit: Audit) -> Finding:
    """Features of a row do not change when everything that came after it is cut away."""
    return audit.compared(lakes.as_known)


def later_rows(audit: Audit) -> Finding:
    """Nor when other things come after it, late or absurd."""
    return audit.compared(lakes.with_later_rows)


def parity(audit: Audit) -> Finding:
    """What was stored is what the live code computes of the same lake now."""
    return audit.compared(lakes.as_it_is)


def allowed(audit: Audit) -> Finding:
    """Nothing that features read can name an end, and nothing is stored with them that was not declared."""
    read = {name for table in (*lakes.KNOWN, *lakes.STANDING) for name in TABLES[table].names}
    stored = set(audit.rows.column_names) - set(TABLES["features"].names)
    found = sorted((read & OF_THE_END) | stored)
    return Finding(
        not found,
        f"{len(read)} columns read, {len(FEATURES)} features declared"
        + (f"; not allowed: {', '.join(found)}" if found else ""),
    )


def constant(audit: Audit) -> Finding:
    """No feature has one value in one source and many in another: a model would learn the source."""
    by_source = {
        source: audit.rows.filter(pc.equal(audit.rows.column("source"), source))
        for source in pc.unique(audit.rows.column("source")).to_pylist()
    }
    whole = {source: rows for source, rows in by_source.items() if rows.num_rows >= 200}
    if len(whole) < 2:
        return Finding(None, "fewer than two sources with 200 rows")
    flat = {
        f.name: [source for source, rows in whole.items() if _is_flat(rows.column(f.name))]
        for f in FEATURES
        if f.name not in _OF_SOURCE
    }
    odd = {
        name: sources
        for name, sources in flat.items()
        if sources and len(sources) < len(whole) and set(sources) & {RECORDED}
    }
    return Finding(
        not odd,
        f"{len(whole)} sources"
        + "".join(f"; {name} is one value in {', '.join(sources)}" for name, sources in odd.items()),
    )


# What a source is shows in these, and is meant to.
_OF_SOURCE = {
    "tier",
    "neg_risk",
    "yesno_labels",
    "category",
    "by_deadline",
    "dow",
    "gap_1h",
    "n_sib",
    "tick_c",
    "fee_rate",
    "sign_quality",
    "unheard_1h",
    "unheard_24h",
    "end_moves",
}


def _is_flat(column: pa.ChunkedArray) -> bool:
    known = column.drop_null()
    return len(known) >= 200 and len(known.unique()) == 1
