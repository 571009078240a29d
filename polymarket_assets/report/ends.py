"""How a market is known to have ended: versions of `resolutions`, and what each service said, as words for a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from polymarket_assets.collecting import queries
from polymarket_assets.lake.writing import Lake

_E6 = 1_000_000
# Evidence of a dataset may carry a field of any length.
_SAID_CHARACTERS = 300
_SERVICES = {"catalogue": "Catalogue (Gamma)", "data": "Data API", "clob": "Order books (CLOB)", "pushed": "Pushed on the socket"}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What one service said, and when we saw it (None: of an import)."""

    service: str
    seen_at: str | None
    words: str


@dataclass(frozen=True)
class Version:
    """A row of `resolutions`, with its evidence taken apart."""

    row: dict[str, Any]
    said: tuple[Said, ...]

    @property
    def payouts(self) -> str:
        """Dollars a share of each outcome pays."""
        return " / ".join(f"{payout / _E6:g}" for payout in self.row["payouts_e6"] or ())


def versions(lake: Lake, market_ids: Sequence[str]) -> dict[str, list[Version]]:
    """The versions of each market, oldest first; a market without any has no entry."""
    named = {f"id{n}": market_id for n, market_id in enumerate(market_ids)}
    with queries.over(lake, resolutions=None) as connection:
        query = f"select * from resolutions where market_id in ({', '.join(f'${name}' for name in named)}) order by market_id, version"
        return told(connection.sql(query, params=named).to_arrow_table().to_pylist())


def told(rows: Iterable[dict[str, Any]]) -> dict[str, list[Version]]:
    """Rows of `resolutions` by market, in their order."""
    found: dict[str, list[Version]] = {}
    for row in rows:
        found.setdefault(row["market_id"], []).append(Version(row, tuple(_said(row["evidence"]))))
    return found


def verdict(known: Sequence[Version], canonical: str) -> str:
    """How it ended, in a few words."""
    if not known:
        return "end not known"
    row = known[-1].row
    if row["label"] is not None:
        return f"{row['state']}: {canonical} {'won' if row['label'] == 1 else 'lost'}"
    return f"{row['state']}: {known[-1].payouts or 'no label'}"


def instants(known: Sequence[Version]) -> dict[str, datetime]:
    """What the newest version knows of when it was told, resolved and labelled."""
    row = known[-1].row if known else {}
    named = {"decided, as first told": "decided_seen_at", "resolved": "resolved_at"}
    return {what: row[name] for what, name in named.items() if row.get(name) is not None}


def _said(evidence: str) -> Iterator[Said]:
    """Evidence is JSON by service; of an import it is whatever the dataset said."""
    try:
        found = msgspec.json.decode(evidence)
    except msgspec.DecodeError:
        yield Said("not readable as JSON", None, evidence[:_SAID_CHARACTERS])
        return
    if not isinstance(found, dict) or not found.keys() & _SERVICES.keys():
        if found:
            yield Said("Dataset", None, _words(found))
        return
    for name, told in found.items():
        told = told if isinstance(told, dict) else {"said": told}
        rest = {key: value for key, value in told.items() if key != "seen_at"}
        yield Said(_SERVICES.get(name, str(name)), told.get("seen_at"), _words(rest) or "that it is resolved")


def _words(said: Any) -> str:
    """`key value` pairs; what was not said is left out."""
    if not isinstance(said, dict):
        return str(said)[:_SAID_CHARACTERS]
    parts = [f"{key} {_value(value)}" for key, value in said.items() if value not in (None, [], "")]
    return " · ".join(parts)[:_SAID_CHARACTERS]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " / ".join(map(str, value)) if isinstance(value, list) else str(value)
