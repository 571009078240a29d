"""Tables of the stream: what was heard, what was not, and trades once each."""

from __future__ import annotations

from polymarket_assets.lake.schemas.declare import (
    FLAG,
    HASH32,
    ID16,
    INSTANT,
    INT8,
    INT16,
    INT32,
    INT64,
    MARKET_ID,
    REAL,
    RECEIVED_AT,
    TEXT,
    Column,
    Table,
    optional,
    required,
    structs,
)

# Where on the stream a row was heard; sequence counts the frames of a session.
HEARD: tuple[Column, ...] = (
    required(
        "session_id",
        TEXT,
        "one run of the streamer: when it began, its shard (`<number>of<count>`), and dice",
    ),
    required("connection", INT16, "socket within the session; -1: asked for over REST"),
    required("sequence", INT64, "order of receipt within the session"),
    RECEIVED_AT,
)

TRADES_RAW = Table(
    "trades_raw",
    "a trade as heard on the socket",
    ("session_id", "connection", "sequence"),
    "received_at",
    (
        *HEARD,
        required("venue_at", INSTANT, "the venue's clock"),
        MARKET_ID,
        required("token_id", TEXT, "token that traded"),
        required("outcome_index", INT8, "its place among the outcomes"),
        required("is_buy", FLAG, "the taker bought that token"),
        required("price_e6", INT32, "millionths of a dollar, in terms of that token"),
        required("size_e6", INT64, "millionths of a share"),
        optional("tx_hash", HASH32, "settlement transaction"),
    ),
)

TRADES = Table(
    "trades",
    "a trade, once, healed from the Data API",
    ("trade_id",),
    "traded_at",
    (
        required(
            "trade_id",
            ID16,
            "blake2b(tx_hash, token_id, side, n), 16 bytes; n numbers the fills of one transaction, token and side by price and size",
        ),
        required(
            "traded_at",
            INSTANT,
            "the venue's clock: of the match where heard, of the block otherwise; received_at where a message was dated over an hour off",
        ),
        RECEIVED_AT,
        MARKET_ID,
        required("token_id", TEXT, "token that traded"),
        required("outcome_index", INT8, "its place among the outcomes"),
        required("is_buy", FLAG, "the taker bought that token"),
        required("price_e6", INT32, "millionths of a dollar, in terms of that token"),
        required("size_e6", INT64, "millionths of a share"),
        required(
            "usd_e6",
            INT64,
            "price × size, millionths of a dollar, rounded down; rows are takers' only, so its sum is the volume counted once",
        ),
        optional("tx_hash", HASH32, "settlement transaction"),
        required("source", TEXT, "stream | rest | both"),
    ),
)

TRADE_HOURS = Table(
    "trade_hours",
    "an hour of `trades`: what it was built from, and what is still missing",
    ("hour_at",),
    "hour_at",
    (
        required("hour_at", INSTANT, "start of the hour"),
        required("built_at", INSTANT, "when the hour's trades were last built"),
        required("heard", INT64, "rows of trades_raw that belong to the hour, every copy counted"),
        required("recovered", INT32, "trades that were not heard, of the Data API"),
        required(
            "unexplained",
            INT32,
            "of these, trades after the market's first gap in the hour that no gap explains: lost without our knowing",
        ),
        required("early", INT32, "markets deaf in the hour whose answer came too early to be the last"),
        required("unhealed", INT32, "markets deaf in the hour without a whole answer"),
        required(
            "gaps",
            structs(
                required("gap_id", TEXT, "gap of stream_gaps that touches the hour"),
                required("markets", INT32, "markets it made deaf"),
                required("unhealed", INT32, "of these, without a whole answer"),
                required("recovered", INT32, "trades recovered in it"),
            ),
            "gaps that touch the hour",
        ),
        required(
            "deaf",
            structs(
                required("market_id", TEXT, "market"),
                required("since_at", INSTANT, "start of its first gap in the hour"),
                optional("asked_at", INSTANT, "when the Data API had answered; null: it has not"),
                required("state", TEXT, "what came of it"),
                required("recovered", INT32, "trades recovered"),
            ),
            "markets deaf in the hour; state: healed | early | left_out | unanswered | refused | unreadable | unmapped",
        ),
    ),
)

BOOK_CHANGES = Table(
    "book_changes",
    "a level of the canonical book set to a size, or one level of a whole book",
    ("session_id", "sequence", "row"),
    "received_at",
    (
        *HEARD,
        required("row", INT16, "order within the frame"),
        optional("venue_at", INSTANT, "the venue's clock"),
        MARKET_ID,
        required(
            "kind",
            TEXT,
            "change | book; a book's first level clears what stood before, an empty book is one level of price 0 and size 0",
        ),
        required("is_bid", FLAG, "side of the level"),
        required("price_e6", INT32, "millionths of a dollar, canonical token"),
        required("size_e6", INT64, "new total at that price, millionths of a share; 0 removes it"),
        required(
            "epoch",
            INT32,
            "number of the whole book that the row belongs to, rising within the session; 0: none came yet. Changes apply within one",
        ),
    ),
)

MARKET_EVENTS = Table(
    "market_events",
    "a lifecycle message: new market, resolution pushed, tick size changed",
    ("session_id", "connection", "sequence"),
    "received_at",
    (
        *HEARD,
        optional("venue_at", INSTANT, "the venue's clock"),
        required("kind", TEXT, "event type on the wire"),
        optional("condition_id", TEXT, "market it speaks of"),
        required("payload", TEXT, "the frame, verbatim JSON"),
    ),
)

REJECTS = Table(
    "rejects",
    "a frame that could not be read, verbatim",
    ("session_id", "connection", "sequence"),
    "received_at",
    (
        *HEARD,
        required("reason", TEXT, "what was wrong"),
        required("payload", TEXT, "the frame as received"),
    ),
)

STREAM_GAPS = Table(
    "stream_gaps",
    "an interval in which we were deaf",
    ("gap_id",),
    "to_at",
    (
        required("gap_id", TEXT, "<session>:<number>; number 0: the time after that session"),
        required("session_id", TEXT, "session that reports it"),
        optional("connection", INT16, "socket; null: all of the shard"),
        optional("market_id", TEXT, "market; null: all of the connection"),
        required("from_at", INSTANT, "last moment known good"),
        required("to_at", INSTANT, "first moment known good again"),
        required("cause", TEXT, "connect | closed | silent | subscribe | unreadable | stopped | crashed"),
        optional("healed_by", TEXT, "null as the streamer writes it; what healing did is in trade_hours"),
        optional("rows_recovered", INT32, "null as the streamer writes it; see trade_hours"),
    ),
)

WHALE_EVENTS = Table(
    "whale_events",
    "a large trade, its split fills joined",
    ("event_id",),
    "traded_at",
    (
        required("event_id", TEXT, "<tx hash, or trade id where there is none>:<token id>:<B or S>"),
        required("traded_at", INSTANT, "first fill"),
        MARKET_ID,
        required("outcome_index", INT8, "outcome that traded"),
        required("is_buy", FLAG, "the taker bought it"),
        required("fills", INT32, "fills joined"),
        required("price", REAL, "size-weighted price, dollars"),
        required("usd_e6", INT64, "millionths of a dollar"),
        optional(
            "depth_share",
            REAL,
            "of the dollars resting before it within 5 cents on the side of the book it took; null: no book was known, or that side was empty",
        ),
        optional(
            "day_volume_share",
            REAL,
            "of the market's last day of volume as listed before it; null: not known, or none",
        ),
    ),
)

TABLES = (TRADES_RAW, TRADES, TRADE_HOURS, BOOK_CHANGES, MARKET_EVENTS, REJECTS, STREAM_GAPS, WHALE_EVENTS)
