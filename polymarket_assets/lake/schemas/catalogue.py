"""Tables of collection: what is listed, and what was sampled at each slot."""

from __future__ import annotations

from polymarket_assets.lake.schemas.declare import (
    FLAG,
    INSTANT,
    INT16,
    INT32,
    INT64,
    LEVELS,
    MARKET_ID,
    REAL,
    RECEIVED_AT,
    TEXT,
    WORDS,
    Column,
    Grain,
    Table,
    optional,
    required,
)

# Shared by `markets` and `history_markets`: everything listed of a market that cannot reveal its end.
LISTED: tuple[Column, ...] = (
    required("venue", TEXT, "polymarket | polymarket_us | import"),
    optional("condition_id", TEXT, "0x + 64 hex, lower case; 62-hex forms padded"),
    optional("gamma_id", TEXT, "numeric id of the catalogue"),
    optional("version", TEXT, "market generation, v1 | v2"),
    optional("slug", TEXT, "readable id of the market"),
    optional("question", TEXT, "what is asked"),
    required("outcomes", WORDS, "outcome names; the canonical one first"),
    required("token_ids", WORDS, "decimal ids in the order of outcomes; empty where the source has none"),
    optional("event_id", TEXT, "event the market belongs to"),
    optional("event_slug", TEXT, "readable id of the event"),
    optional("event_title", TEXT, "title of the event"),
    optional("series_slug", TEXT, "recurring series, such as five-minute up/down markets"),
    optional("neg_risk_id", TEXT, "common id of a set of which exactly one resolves YES"),
    required("neg_risk", FLAG, "member of such a set"),
    optional("category", TEXT, "sports, crypto, politics, … as tagged at listing"),
    required("tags", WORDS, "tag slugs as listed"),
    optional("listed_at", INSTANT, "trading opened, else created"),
    optional("scheduled_end", INSTANT, "the venue's endDate: a schedule, not an event"),
    optional("game_start_at", INSTANT, "start of the game of a sports market"),
    optional("window_start_at", INSTANT, "start of the measured window of an up/down market"),
    optional("game_id", TEXT, "game all bet types of which share one outcome"),
    optional("sports_market_type", TEXT, "moneyline, totals, …"),
    optional("resolution_source", TEXT, "what decides the outcome, as the venue names it"),
    optional(
        "twap_s",
        INT32,
        "up/down markets: seconds that the deciding price is averaged over; 0: a single price; null: no such market, or not known",
    ),
    optional("tick_e6", INT32, "price grid, millionths of a dollar"),
    optional("min_size_e6", INT64, "smallest resting order, millionths of a share"),
    optional("fee_schedule", TEXT, "JSON {rate, exponent, taker_only, rebate_rate}; null: no fee"),
    optional("volume_usd", REAL, "traded so far, dollars, as listed then"),
    optional("volume_24h_usd", REAL, "traded in the last day, dollars"),
    optional("liquidity_usd", REAL, "resting, dollars"),
)

MARKETS = Table(
    "markets",
    "a change of a market's metadata as seen in discovery; nothing that reveals an outcome",
    ("market_id", "received_at"),
    "received_at",
    (
        MARKET_ID,
        RECEIVED_AT,
        required("phase", TEXT, "scheduled | live | overdue | dead | closed"),
        required("tier", TEXT, "t0 … t4 at received_at"),
        optional("effective_close", INSTANT, "when trading is expected to end; hours to the end run to this"),
        required("end_source", TEXT, "what effective_close rests on: end_date | game | series | none"),
        *LISTED,
        required("accepting_orders", FLAG, "as listed; can be true on closed markets"),
        optional(
            "is_quiet", FLAG, "overdue, and in ten minutes neither traded nor moved: T1's cadence; null: not"
        ),
        optional(
            "is_bookless", FLAG, "three sweeps in a row got no book of it, and none since: dead; null: not"
        ),
        optional(
            "is_left_out",
            FLAG,
            "known, and by the settings not collected any more: in no tier; null: collected",
        ),
        optional(
            "volume_before_usd", REAL, "volume_usd of the market's row before this one; null: there was none"
        ),
        optional("volume_before_at", INSTANT, "receipt of that row"),
    ),
)

ORDERBOOKS = Table(
    "orderbooks",
    "the canonical token's book at a slot; the other token's book is its mirror",
    ("market_id", "slot_at"),
    "slot_at",
    (
        MARKET_ID,
        required("slot_at", INSTANT, "planned instant of the sweep"),
        RECEIVED_AT,
        optional("venue_at", INSTANT, "last change of the book by the venue's clock"),
        required("token_id", TEXT, "canonical token"),
        optional("tick_e6", INT32, "price grid, millionths of a dollar"),
        required("bids", LEVELS, "best first"),
        required("asks", LEVELS, "best first"),
        optional("last_trade_e6", INT32, "last trade in terms of the canonical outcome"),
        required("hash", TEXT, "the venue's checksum of the book"),
    ),
    tiered=True,
)

_WITHIN = ("1c", "2c", "5c", "10c")

_DEPTHS = tuple(
    optional(
        f"{side}_depth_{within}_usd", REAL, f"dollars resting within {within[:-1]} cents of the best {side}"
    )
    for side in ("bid", "ask")
    for within in _WITHIN
)
_IMBALANCES = tuple(
    optional(
        f"imbalance_{within}",
        REAL,
        f"(bid − ask) / (bid + ask) of shares within {within[:-1]} cents of each best price, −1 … 1",
    )
    for within in _WITHIN
)
_WALLS = tuple(
    column
    for side in ("bid", "ask")
    for column in (
        optional(f"{side}_wall_price", REAL, f"price of the largest {side} level"),
        optional(f"{side}_wall_size", REAL, f"shares at the largest {side} level"),
        optional(f"{side}_wall_share", REAL, f"that level's share of all {side} shares, 0 … 1"),
        optional(f"{side}_wall_distance_c", REAL, f"cents from mid to the largest {side} level"),
    )
)
_SIDES = tuple(
    column
    for side in ("bid", "ask")
    for column in (
        required(f"{side}_levels", INT32, f"price levels on the {side} side"),
        required(f"{side}_shares", REAL, f"shares on the {side} side"),
        required(f"{side}_usd", REAL, f"dollars on the {side} side"),
        optional(
            f"{side}_mean_distance_c",
            REAL,
            f"size-weighted mean distance of {side} levels within 10 cents from the best, cents",
        ),
    )
)

SNAPSHOTS = Table(
    "snapshots",
    "a market at a slot: prices, depth, volumes, timing",
    ("market_id", "slot_at"),
    "slot_at",
    (
        MARKET_ID,
        required("slot_at", INSTANT, "planned instant of the sweep"),
        RECEIVED_AT,
        optional("venue_at", INSTANT, "last change of the book by the venue's clock"),
        required("tier", TEXT, "t0 … t4"),
        required("phase", TEXT, "scheduled | live | overdue | dead"),
        required("token_id", TEXT, "canonical token"),
        optional("event_id", TEXT, "event the market belongs to"),
        optional("neg_risk_id", TEXT, "set of which exactly one resolves YES"),
        required("neg_risk", FLAG, "member of such a set"),
        optional("category", TEXT, "as tagged at listing"),
        optional("best_bid", REAL, "highest bid, dollars a share; null: no bid"),
        optional("best_ask", REAL, "lowest ask, dollars a share; null: no ask"),
        optional("best_bid_size", REAL, "shares at the best bid"),
        optional("best_ask_size", REAL, "shares at the best ask"),
        optional("mid", REAL, "(best_bid + best_ask) / 2; null on a one-sided book, never the last price"),
        optional("microprice", REAL, "(bid × ask size + ask × bid size) / (both sizes)"),
        optional("spread", REAL, "best_ask − best_bid"),
        optional("last_trade", REAL, "last trade in terms of the canonical outcome; null: never traded"),
        optional("last_trade_distance_c", REAL, "last_trade − mid, cents"),
        *_DEPTHS,
        optional("imbalance_top", REAL, "(bid − ask) / (bid + ask) of shares at the best prices, −1 … 1"),
        *_IMBALANCES,
        *_WALLS,
        *_SIDES,
        required("is_one_sided", FLAG, "bids or asks are missing"),
        required("is_crossed", FLAG, "best bid at or above best ask"),
        optional("volume_usd", REAL, "traded so far, dollars, as last listed"),
        optional("volume_24h_usd", REAL, "traded in the last day, dollars, as last listed"),
        optional("volume_change_usd", REAL, "traded between the last two listings stored, dollars"),
        optional("volume_change_h", REAL, "time between those two listings, hours"),
        optional("liquidity_usd", REAL, "resting, dollars, as last listed"),
        optional("tick", REAL, "price grid, dollars"),
        optional("fee_rate", REAL, "taker fee rate of the schedule then in force; null: no fee"),
        optional("effective_close", INSTANT, "as expected then"),
        optional("hours_to_end", REAL, "effective_close − slot_at, hours; negative: overdue"),
        optional("age_h", REAL, "slot_at − listed_at, hours"),
        optional("hours_to_start", REAL, "game or window start − slot_at, hours"),
        optional("book_age_s", REAL, "received_at − venue_at, seconds"),
        optional("listing_age_s", REAL, "received_at − receipt of the metadata used, seconds"),
        required("hash", TEXT, "the venue's checksum of the book"),
    ),
    tiered=True,
)

SWEEPS = Table(
    "sweeps",
    "a slot's account: what was taken, or why it was not; never back-dated",
    ("tier", "slot_at"),
    "slot_at",
    (
        required("tier", TEXT, "t0 … t4"),
        required("slot_at", INSTANT, "planned instant"),
        required("status", TEXT, "taken | late | missed"),
        optional("reason", TEXT, "why it was late or missed, or what was wrong in it"),
        required("markets", INT32, "markets due in this tier"),
        required("books", INT32, "books received"),
        required(
            "omitted", INT32, "markets due without a book: not served, unreadable, unanswered or unasked"
        ),
        optional(
            "unanswered",
            INT32,
            "of these, markets whose request failed as a whole: refused, unreadable, or not answered in time",
        ),
        optional(
            "unasked",
            INT32,
            "of these, markets that were not asked for any more: the venue did not answer, or time was over",
        ),
        optional(
            "gone",
            WORDS,
            "ids of markets that an answer spoke of and that have no book; unreadable ones are not among them",
        ),
        optional(
            "unreadable",
            WORDS,
            "books that could not be read: token and what was wrong with it, 200 characters each",
        ),
        optional(
            "mirrored",
            INT16,
            "markets whose other token's book was asked for too and is of the same venue instant",
        ),
        optional("mirror_differs", WORDS, "ids of those of them whose two books are not each other's mirror"),
        required("left_out", INT32, "markets beyond the tier's cap"),
        required("requests", INT16, "requests it took, repetitions included"),
        optional("retries", INT16, "of these, repetitions of one that failed"),
        optional("throttled", INT16, "answers that said we ask too much (429)"),
        optional("waited_s", REAL, "time that our own limits made it wait, seconds"),
        optional(
            "breaker",
            TEXT,
            "closed | open | half-open: how the service's breaker stood after it; null: nothing was asked",
        ),
        required("bytes", INT64, "bytes received"),
        optional(
            "latency_ms",
            REAL,
            "started_at − slot_at, milliseconds, waits for limits and repetitions included; null: missed",
        ),
        optional(
            "started_at",
            INSTANT,
            "when the first request that was answered went out; when the sweep began, where none was; null: no sweep",
        ),
        optional("finished_at", INSTANT, "when its last answer had come, or it gave up"),
        required("run_id", TEXT, "window run that accounts for the slot"),
    ),
    tiered=True,
)

MARKET_HOURS = Table(
    "market_hours",
    "an hour of a market in a tier: how completely it was sampled",
    ("market_id", "tier", "hour_at"),
    "hour_at",
    (
        MARKET_ID,
        required("hour_at", INSTANT, "start of the hour"),
        required("tier", TEXT, "t0 … t4; a market that crossed has a row for each"),
        optional("category", TEXT, "as tagged at listing"),
        required("first_slot_at", INSTANT, "first slot with a snapshot"),
        required("last_slot_at", INSTANT, "last slot with a snapshot"),
        required("due", INT32, "slots of the grid from the first to the last, both included"),
        required("snapshots", INT32, "of these, with a snapshot"),
        optional("completeness", REAL, "snapshots ÷ due, 0 … 1; null: sampled off the grid only"),
        optional(
            "longest_pause_s", REAL, "longest time between two snapshots, seconds; null: there is one only"
        ),
        required("two_sided", REAL, "share of the snapshots with bids and asks, 0 … 1"),
        optional("median_book_age_s", REAL, "median of the snapshots' book_age_s, seconds"),
        optional("median_listing_age_s", REAL, "median of the snapshots' listing_age_s, seconds"),
    ),
)

CENSUS = Table(
    "census",
    "a change of a market's fate or metadata as the daily walk over everything sees it; the newest row is what is known",
    ("market_id", "received_at"),
    "received_at",
    (
        MARKET_ID,
        RECEIVED_AT,
        required("first_seen_at", INSTANT, "receipt of the market's first row"),
        required("fate", TEXT, "open | closed | vanished: listed as neither"),
        optional(
            "why_not",
            TEXT,
            "why it is not collected: no book | ends too far ahead | too small, or other tags; null: it is",
        ),
        optional("condition_id", TEXT, "0x + 64 hex, lower case"),
        optional("gamma_id", TEXT, "numeric id of the catalogue"),
        optional("version", TEXT, "market generation, v1 | v2"),
        optional("slug", TEXT, "readable id of the market"),
        optional("event_id", TEXT, "event the market belongs to"),
        optional("series_slug", TEXT, "recurring series"),
        optional("category", TEXT, "as tagged at listing"),
        optional("listed_at", INSTANT, "trading opened, else created"),
        optional("scheduled_end", INSTANT, "the venue's endDate"),
        optional("effective_close", INSTANT, "when trading is expected to end"),
        optional("volume_usd", REAL, "traded so far, dollars; stored again when it doubled"),
        optional("liquidity_usd", REAL, "resting, dollars"),
    ),
    grain=Grain.DAY,
)

TABLES = (MARKETS, CENSUS, ORDERBOOKS, SNAPSHOTS, SWEEPS, MARKET_HOURS)
__all__ = ["LISTED", "TABLES"]
