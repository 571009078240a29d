"""What is written at the head of a page: what a market is, in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from polymarket_assets.report.page import instant
from polymarket_assets.report.subject import Subject

_PHASES = {"unknown": "in no catalogue of this lake", "census": "never followed"}


def badges(found: Subject, verdict: str) -> list[str]:
    """Where it is from, how far it is, and how it ended."""
    phase = found.row.get("phase") or ("closed" if found.closed_at else _PHASES.get(found.source, ""))
    tier = found.row.get("tier")
    parts = [found.row.get("venue"), found.row.get("category"), f"{phase}, {tier}" if tier and phase != "closed" else phase]  # fmt: skip
    origin = {"recorded": "recorded live", "polymarket": "fetched after it closed"}.get(found.source)
    parts.append(origin or (f"imported from {found.source}" if found.close_day else None))
    return [str(part) for part in (*parts, verdict) if part]


def told(found: Subject) -> list[tuple[str, str]]:
    """Names and values; what is not known is left out, except what a reader would look for."""
    row = found.row
    pairs = [
        ("Event", " · ".join(str(row[k]) for k in ("event_title", "event_slug", "event_id") if row.get(k))),
        ("Outcomes, the canonical one first", ", ".join(row.get("outcomes") or ())),
        ("Scheduled end", instant(row.get("scheduled_end"))),
        (
            "Effective close",
            f"{instant(row.get('effective_close'))} ({row.get('end_source') or 'not known'})",
        ),
        ("Closed", instant(found.closed_at) if found.closed_at else ""),
        ("Listed", instant(row["listed_at"]) if row.get("listed_at") else ""),
        ("Game or window starts", instant(_start(row)) if _start(row) else ""),
        ("Tick", f"{row['tick_e6'] / 1e6:g} dollars" if row.get("tick_e6") else "not known"),
        ("Taker fee", _fee(found)),
        ("Resolution source", row.get("resolution_source") or "not named"),
        ("Volume, liquidity as last listed", _money(row)),
        ("negRisk set", row.get("neg_risk_id") or ("member of one" if row.get("neg_risk") else "")),
        ("Tags", ", ".join(row.get("tags") or ())),
        ("Market id", found.market_id),
        ("Condition id", row.get("condition_id") or ""),
        ("Catalogue id, slug", " · ".join(str(row[k]) for k in ("gamma_id", "slug") if row.get(k))),
        ("Token ids", ", ".join(row.get("token_ids") or ())),
    ]
    return [(name, str(value)) for name, value in pairs if value]


def instants(found: Subject) -> dict[str, datetime]:
    """What is marked in its charts."""
    row = found.row
    marked = {
        "start": _start(row), "scheduled end": row.get("scheduled_end"), "effective close": row.get("effective_close"), "closed": found.closed_at,
    }  # fmt: skip
    kept: dict[str, datetime] = {}
    for what, at in marked.items():
        if at is not None and at not in kept.values():
            kept[what] = at
    return kept


def _start(row: dict[str, Any]) -> datetime | None:
    return row.get("game_start_at") or row.get("window_start_at")


def _money(row: dict[str, Any]) -> str:
    volume, liquidity = row.get("volume_usd"), row.get("liquidity_usd")
    parts = [f"${volume:,.0f}" if volume is not None else "", f"${liquidity:,.0f} resting" if liquidity is not None else ""]  # fmt: skip
    return ", ".join(part for part in parts if part)


def _fee(found: Subject) -> str:
    said = found.row.get("fee_schedule")
    if not said:
        return "none" if found.source in ("recorded", "polymarket") else "not known"
    try:
        fee = msgspec.json.decode(said)
        return f"{fee['rate']:g} × price × (1 − price)" if fee.get("exponent") in (None, 1) else str(said)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return str(said)
