"""Groups market and event."""

from __future__ import annotations

import itertools
import math
import re
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.learning.features.market import BY_DEADLINE, CATEGORIES, SYNONYMS
from polymarket_assets_tests.learning.slowly.held import Held
from polymarket_assets_tests.learning.slowly.plain import Row, S, log1p, logit, signed_log, us


def market(lake: Held, market_id: str, version: Row, quote: Row, as_of: datetime) -> Row:
    known = [v for v in lake.versions[market_id] if v["received_at"] <= as_of]
    closes = [v["effective_close"] for v in known]
    first = min(filter(None, (version["listed_at"], known[0]["received_at"])))
    age, left = (
        (as_of - first) / timedelta(hours=1),
        (version["effective_close"] - as_of) / timedelta(hours=1),
    )
    starts = version["window_start_at"] or (
        version["game_start_at"] if version["game_id"] or version["sports_market_type"] else None
    )
    named = (version["category"] or "").strip().lower()
    named = SYNONYMS.get(named, named)
    angle = 2 * math.pi * (us(as_of) % (86400 * S)) / (86400 * S)  # type: ignore[operator]
    return {
        "category": named if named in CATEGORIES else "other", "neg_risk": version["neg_risk"],
        "yesno_labels": [o.lower() for o in version["outcomes"]] == ["yes", "no"], "updown_labels": [o.lower() for o in version["outcomes"]] == ["up", "down"], "by_deadline": bool(re.search(BY_DEADLINE, (version["question"] or "").lower())),
        "log_liq": log1p(quote["liquidity_usd"]), "log_cumvol": log1p(quote["volume_usd"]), "age_h": log1p(age), "hours_to_end": signed_log(left),
        "life_frac": age / (age + left) if age + left > 0 else None,
        "hours_to_start": None if starts is None else signed_log((starts - as_of) / timedelta(hours=1)),
        "end_moves": float(sum(a is not None and b is not None and a != b for a, b in itertools.pairwise(closes))),
        "tod_sin": math.sin(angle), "tod_cos": math.cos(angle), "dow": as_of.weekday(),
    }  # fmt: skip


def event(lake: Held, version: Row, found: Row, t: int) -> Row:
    def set_of(v: Row) -> Any:
        return (
            ("n", v["neg_risk_id"]) if v["neg_risk_id"] else ("e", v["event_id"]) if v["event_id"] else None
        )

    mine = version["market_id"]
    siblings = {
        m
        for m in lake.versions
        if (v := lake.version(m, t)) is not None and set_of(v) is not None and set_of(v) == set_of(version)
    } | {mine}
    names = ("sib_mid_dev", "sib_ask_dev", "sib_rank", "norm_logit_shift", "lead_gap", "event_move_1h")
    live = {m: q for m in siblings if (q := lake.quote(m, t)) is not None}
    told: Row = {**dict.fromkeys(names), "n_sib": float(len(live))}
    if len(siblings) == 1:
        return told
    mids = {m: q["mid2"] for m, q in live.items() if q["mid2"] is not None}
    asks = [round(q["best_ask"] * 1e6) for q in live.values() if q["best_ask"] is not None]
    told["sib_ask_dev"] = sum(asks) / 1e6 - 1 if len(asks) == len(siblings) else None
    if len(mids) == len(siblings):
        total = sum(mids.values()) / 2e6
        told["sib_mid_dev"] = total - 1
        tick = found["tick_c"] or 0.1
        told["norm_logit_shift"] = (
            logit(found["mid"] / total, tick / 200) - found["logit_mid"] if total >= 0.01 else None
        )  # type: ignore[operator]
    others = [mid for m, mid in mids.items() if m != mine]
    if mine in mids:
        told["sib_rank"] = 1.0 + sum(mid > mids[mine] for mid in others)
        told["lead_gap"] = (mids[mine] - max(others)) / 2e6 if others else None
    before = {
        m: q["mid2"]
        for m in siblings - {mine}
        if (q := lake.quote(m, t - 3600 * S)) is not None and q["mid2"] is not None
    }
    moves = [abs(mids[m] - before[m]) for m in before if m in mids]
    told["event_move_1h"] = sum(moves) / 2e6 if moves else None
    return told  # fmt: skip
