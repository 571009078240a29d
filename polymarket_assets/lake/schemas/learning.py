"""Tables of learning: derived, so their numbers are floats; recomputing a partition replaces it."""

from __future__ import annotations

from polymarket_assets.lake.schemas.declare import (
    FLAG,
    INSTANT,
    INT8,
    INT32,
    MARKET_ID,
    REAL,
    TEXT,
    WORDS,
    Column,
    Grain,
    Table,
    optional,
    required,
)

# Groups P (price) and M (market) of the catalogue; the number is its row there.
CATALOGUE: tuple[Column, ...] = (
    optional(
        "mid",
        REAL,
        "1 · (bid + ask) / 2, of history the displayed price where quotes are absent; null on a one-sided or wide book",
    ),
    optional(
        "logit_mid", REAL, "2 · logit(clip(mid, tick/2, 1 − tick/2)); tick not known: the finest, 0.001"
    ),
    optional("spread_c", REAL, "3 · ask − bid, cents"),
    optional("spread_logit", REAL, "4 · logit(ask) − logit(bid)"),
    optional("micro_dev_c", REAL, "5 · microprice − mid, cents"),
    optional("last_trade_dev_c", REAL, "6 · last trade − mid, cents"),
    optional("edge_ticks", REAL, "7 · min(mid, 1 − mid) / tick"),
    optional("hurdle_c", REAL, "8 · half spread + rate × mid × (1 − mid), cents"),
    required("category", TEXT, "51 · fixed list; unseen: other"),
    required("neg_risk", FLAG, "52 · member of a set of which exactly one resolves YES"),
    required("yesno_labels", FLAG, "53 · outcomes are Yes and No"),
    required("by_deadline", FLAG, "54 · the question asks whether something happens by a date"),
    optional(
        "tick_c",
        REAL,
        "55 · tick size then, cents; null for history, whose last tick tells where the price went",
    ),
    optional("fee_rate", REAL, "56 · taker fee rate then in force; no schedule: 0, of history null"),
    optional("log_liq", REAL, "57 · log1p of liquidity stored with the snapshot, dollars"),
    optional("log_cumvol", REAL, "58 · log1p of volume stored with the snapshot, dollars"),
    optional("age_h", REAL, "59 · log1p of hours since listing, or since first seen where that is earlier"),
    optional(
        "hours_to_end",
        REAL,
        "60 · effective close as then expected − as_of, signed log1p of hours; negative: overdue",
    ),
    optional("life_frac", REAL, "61 · age / (age + hours to the end); above 1: overdue"),
    optional(
        "hours_to_start",
        REAL,
        "62 · start of game or measured window − as_of, signed log1p of hours; null where there is none",
    ),
    optional("end_moves", REAL, "63 · changes of the effective close seen so far; null for history"),
    required("tod_sin", REAL, "64 · sine of the UTC hour"),
    required("tod_cos", REAL, "65 · cosine of the UTC hour"),
    required("dow", INT8, "66 · day of week, Monday 0"),
)

_INSTANT_OF_MARKET: tuple[Column, ...] = (
    MARKET_ID,
    required("as_of", INSTANT, "decision instant: everything in the row was known then"),
    required("source", TEXT, "recorded | polymarket (history) | the dataset it was imported from"),
    required("event_id", TEXT, "event; a market without one is its own"),
    required("group_id", TEXT, "markets whose outcomes depend on each other share one"),
    optional("scheduled_end", INSTANT, "effective close as expected at as_of"),
    required("horizon_h", REAL, "grid point: hours to the effective close as expected at as_of"),
    required(
        "coverage",
        REAL,
        "share of the sources of this row that were up, 0 … 1: their newest row within one interval",
    ),
    required("sources", WORDS, "tables that fed the row"),
)

FEATURES = Table(
    "features",
    "a market at a decision instant, as it could have been known",
    ("market_id", "as_of"),
    "as_of",
    (*_INSTANT_OF_MARKET, *CATALOGUE),
)

TRAINING_SET = Table(
    "training_set",
    "a feature row with its label",
    ("market_id", "as_of"),
    None,
    (
        *_INSTANT_OF_MARKET,
        *CATALOGUE,
        required("label", INT8, "1: the canonical outcome won"),
        required("label_version", INT32, "version of `resolutions` it rests on"),
        required("label_seen_at", INSTANT, "when it could first be used"),
        required("weight", REAL, "from what was known at as_of only; sums to the number of groups"),
    ),
    grain=Grain.WHOLE,
)

PREDICTIONS = Table(
    "predictions",
    "a model's probability beside the market's, stored before the outcome",
    ("model_version", "market_id", "as_of"),
    "as_of",
    (
        required("model_version", TEXT, "<registered name>/<version>"),
        MARKET_ID,
        required("as_of", INSTANT, "decision instant"),
        required("mid", REAL, "the market's price then"),
        required("probability", REAL, "the model's"),
        required("created_at", INSTANT, "when it was stored"),
    ),
)

PAPER_ORDERS = Table(
    "paper_orders",
    "an order the paper portfolio would have sent",
    ("order_id",),
    "decided_at",
    (
        required("order_id", TEXT, "<model version>:<market id>:<instant>"),
        MARKET_ID,
        required("decided_at", INSTANT, "decision"),
        optional("executed_at", INSTANT, "book it was filled against; null: never"),
        required("outcome_index", INT8, "outcome bought"),
        required("price", REAL, "mean fill, dollars a share"),
        required("shares", REAL, "shares bought"),
        required("fee_usd", REAL, "taker fee of that market then"),
    ),
)

PAPER_POSITIONS = Table(
    "paper_positions",
    "what the paper portfolio holds or held of a market",
    ("position_id",),
    "opened_at",
    (
        required("position_id", TEXT, "<model version>:<market id>"),
        MARKET_ID,
        required("opened_at", INSTANT, "first fill"),
        optional("settled_at", INSTANT, "payout; null: open"),
        required("outcome_index", INT8, "outcome held"),
        required("shares", REAL, "shares held"),
        required("cost_usd", REAL, "paid, with fees"),
        optional("payout_usd", REAL, "received; null: open"),
        required("fills", INT32, "orders behind it"),
    ),
)

TABLES = (FEATURES, TRAINING_SET, PREDICTIONS, PAPER_ORDERS, PAPER_POSITIONS)
