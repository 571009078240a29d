"""The columns that pages of markets show, by table, beside `market_id`."""

from __future__ import annotations

COLUMNS: dict[str, tuple[str, ...]] = {
    "snapshots": (
        "slot_at", "received_at", "tier", "best_bid", "best_ask", "mid", "spread", "bid_depth_1c_usd", "ask_depth_1c_usd", "bid_depth_5c_usd",
        "ask_depth_5c_usd", "is_one_sided",
    ),
    "trades": ("traded_at", "outcome_index", "is_buy", "price_e6", "size_e6", "usd_e6", "source"),
    "trades_raw": ("received_at", "venue_at", "outcome_index", "is_buy", "price_e6", "size_e6", "tx_hash"),
    "predictions": ("model_version", "as_of", "mid", "probability", "created_at", "role", "correction_sd"),
    "resolutions": (
        "version", "seen_at", "state", "label", "payouts_e6", "evidence", "reason", "was_disputed", "resolved_at", "decided_seen_at", "label_seen_at",
        "source",
    ),
    "history_prices": ("priced_at", "price_e6", "bid_e6", "ask_e6", "fidelity_s", "source"),
    "history_trades": ("traded_at", "outcome_index", "is_buy", "price_e6", "size_e6", "truncated", "source"),
    "history_books": ("booked_at", "bids", "asks", "source"),
    "history_markets": ("received_at", "closed_at", "close_day", "source"),
    "orderbooks": ("slot_at", "received_at", "venue_at", "bids", "asks"),
}  # fmt: skip
