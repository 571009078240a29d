"""Tables of learning: derived, so their numbers are floats; recomputing a partition replaces it."""

from __future__ import annotations

import pyarrow as pa

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
from polymarket_assets.learning.features import catalogue
from polymarket_assets.learning.features.declaring import Kind

_TYPES: dict[Kind, pa.DataType] = {Kind.REAL: REAL, Kind.FLAG: FLAG, Kind.WORD: TEXT, Kind.SMALL: INT8}

# The catalogue of features, column by column as it is declared there.
CATALOGUE: tuple[Column, ...] = tuple(
    Column(feature.name, _TYPES[feature.kind], feature.said, nullable=not feature.is_required)
    for feature in catalogue.FEATURES
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
        optional(
            "group_over_at",
            INSTANT,
            "when the last market of its group had ended, with a label or given up; null: one is open, and the group is tested on, not trained on",
        ),
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
