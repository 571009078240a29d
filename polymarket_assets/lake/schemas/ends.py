"""Tables of what is over: how markets ended, and the past as fetched after the fact."""

from __future__ import annotations

import pyarrow as pa

from polymarket_assets.lake.schemas.catalogue import LISTED
from polymarket_assets.lake.schemas.declare import (
    DAY,
    FLAG,
    HASH32,
    INSTANT,
    INT8,
    INT32,
    INT64,
    LEVELS,
    MARKET_ID,
    RECEIVED_AT,
    TEXT,
    Grain,
    Table,
    optional,
    required,
)

CLOSE_DAY = required("close_day", DAY, "UTC day of close: files the row, never a feature")
SOURCE = required("source", TEXT, "polymarket, or the dataset it was imported from")

RESOLUTIONS = Table(
    "resolutions",
    "what is known of a market's end; a new version for every change",
    ("market_id", "version"),
    "seen_at",
    (
        MARKET_ID,
        required("version", INT32, "1, 2, … per market; the highest is the present knowledge"),
        required("seen_at", INSTANT, "when this version was recorded"),
        required("state", TEXT, "open | proposed | disputed | final | split | annulled | ambiguous"),
        optional("label", INT8, "1: the canonical outcome won, 0: it lost; null unless final"),
        optional("payouts_e6", pa.list_(pa.int64()), "millionths of a dollar a share of each outcome pays"),
        required("evidence", TEXT, "JSON: what each source said and when we saw it"),
        required("reason", TEXT, "the rule that decided, or why there is no label"),
        required("was_disputed", FLAG, "a dispute was seen at any time"),
        optional("resolved_at", INSTANT, "by the venue's clock"),
        optional("decided_seen_at", INSTANT, "first time anything told us the result: features end here"),
        optional(
            "label_seen_at",
            INSTANT,
            "first time the label could be used for training; of imports, when it became public",
        ),
        SOURCE,
        optional(
            "rule",
            TEXT,
            "line of the rule that decided, by its name in docs/resolutions.md; null: imported, or written before there were names",
        ),
        optional(
            "resolution_source",
            TEXT,
            "what decides the outcome, as the venue named it when this version was recorded",
        ),
        optional("twap_s", INT32, "what the label measures, as in `markets`"),
    ),
    grain=Grain.DAY,
)

HISTORY_MARKETS = Table(
    "history_markets",
    "a closed market, fetched after the fact; nothing that reveals its outcome",
    ("market_id",),
    "close_day",
    (
        MARKET_ID,
        CLOSE_DAY,
        RECEIVED_AT,
        required("closed_at", INSTANT, "when trading ended; never a feature"),
        optional("effective_close", INSTANT, "when trading was expected to end"),
        required("end_source", TEXT, "what effective_close rests on"),
        SOURCE,
        *LISTED,
    ),
    grain=Grain.DAY,
)

HISTORY_PRICES = Table(
    "history_prices",
    "a price of the canonical token before its end, fetched after the fact",
    ("market_id", "priced_at"),
    "close_day",
    (
        MARKET_ID,
        CLOSE_DAY,
        required("priced_at", INSTANT, "instant of the price"),
        required("known_at", INSTANT, "first instant it could have been known; as-of joins use this"),
        RECEIVED_AT,
        optional(
            "price_e6",
            INT32,
            "displayed price, millionths of a dollar; null where only quotes exist and one is missing",
        ),
        optional("bid_e6", INT32, "best bid, where the source has quotes"),
        optional("ask_e6", INT32, "best ask, where the source has quotes"),
        required("fidelity_s", INT32, "spacing the source claims, seconds; 0: irregular"),
        SOURCE,
    ),
    grain=Grain.DAY,
)

HISTORY_TRADES = Table(
    "history_trades",
    "a trade of a closed market, fetched after the fact",
    ("market_id", "traded_at", "n"),
    "close_day",
    (
        MARKET_ID,
        CLOSE_DAY,
        required("traded_at", INSTANT, "the venue's clock"),
        required("n", INT32, "order among trades of the same instant"),
        RECEIVED_AT,
        required("outcome_index", INT8, "outcome that traded"),
        required("is_buy", FLAG, "the taker bought it"),
        required("price_e6", INT32, "millionths of a dollar"),
        required("size_e6", INT64, "millionths of a share"),
        optional("tx_hash", HASH32, "settlement transaction"),
        required("truncated", FLAG, "the market's list of trades ended early"),
        SOURCE,
    ),
    grain=Grain.DAY,
)

HISTORY_BOOKS = Table(
    "history_books",
    "the canonical token's book before its end, as somebody else recorded it",
    ("market_id", "booked_at"),
    "close_day",
    (
        MARKET_ID,
        CLOSE_DAY,
        required("booked_at", INSTANT, "instant of the book, by the clock of the source"),
        required("known_at", INSTANT, "first instant it could have been known; as-of joins use this"),
        RECEIVED_AT,
        required("bids", LEVELS, "best first, as deep as the source has it"),
        required("asks", LEVELS, "best first, as deep as the source has it"),
        SOURCE,
    ),
    grain=Grain.DAY,
)

TABLES = (RESOLUTIONS, HISTORY_MARKETS, HISTORY_PRICES, HISTORY_TRADES, HISTORY_BOOKS)
