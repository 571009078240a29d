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
        optional(
            "week_complete_at",
            INSTANT,
            "when nearly all groups due in the same week had ended: before that, those that have are no fair sample, and are not trained on; null: written before this was known",
        ),
        optional(
            "was_disputed",
            FLAG,
            "its resolution was disputed at any time; null: written before this was kept",
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
        optional("role", TEXT, "champion | shadow | challenger: what the model was when it spoke"),
        optional("group_id", TEXT, "group of the row it was made from; null: the market is taken as its own"),
        optional(
            "correction_sd",
            REAL,
            "standard deviation of the correction over the model's members, logits; null: no bound is known, and paper does not trade on it",
        ),
        optional("scheduled_end", INSTANT, "effective close as expected at as_of"),
        optional("horizon_h", REAL, "hours to it"),
        optional("category", TEXT, "as in `features`"),
        optional("tier", TEXT, "t1 … t4 of the snapshot"),
        optional("neg_risk", FLAG, "member of a set of which exactly one resolves YES"),
        optional("yesno_labels", FLAG, "the outcomes are Yes and No"),
        optional("updown_labels", FLAG, "the outcomes are Up and Down"),
        optional("spread_c", REAL, "ask − bid, cents"),
    ),
)

MODEL_VERSION = required(
    "model_version", TEXT, "<registered name>/<version>: every model has a portfolio of its own"
)
GROUP_ID = required("group_id", TEXT, "markets that share a cap of stakes")
OUTCOME = required("outcome_index", INT8, "outcome bought")

PAPER_ORDERS = Table(
    "paper_orders",
    "an order the paper portfolio would have sent",
    ("order_id",),
    "decided_at",
    (
        required("order_id", TEXT, "<model version>:<market id>:<instant>"),
        MODEL_VERSION,
        MARKET_ID,
        GROUP_ID,
        required("decided_at", INSTANT, "decision"),
        optional("executed_at", INSTANT, "book it was filled against; null: never"),
        OUTCOME,
        required(
            "belief", REAL, "what a share was believed to be worth at least: the limit of price and fee"
        ),
        required("mid", REAL, "mid of the outcome at the decision"),
        optional("price", REAL, "mean fill, dollars a share; null: never"),
        required("shares", REAL, "shares bought"),
        required("fee_usd", REAL, "taker fee of that market then"),
        required("cost_usd", REAL, "paid, with the fee"),
        required("fate", TEXT, "filled, or why it was not"),
    ),
    grain=Grain.DAY,
)

PAPER_POSITIONS = Table(
    "paper_positions",
    "what the paper portfolio holds or held of a market",
    ("position_id",),
    "opened_at",
    (
        required("position_id", TEXT, "<model version>:<market id>"),
        MODEL_VERSION,
        MARKET_ID,
        GROUP_ID,
        required("opened_at", INSTANT, "decision of its first fill"),
        optional("settled_at", INSTANT, "when the payout was known; null: open"),
        OUTCOME,
        required("shares", REAL, "shares held"),
        required("cost_usd", REAL, "paid, with fees"),
        required("fee_usd", REAL, "fees in it"),
        optional("payout_usd", REAL, "received; null: open"),
        required("fills", INT32, "orders behind it"),
    ),
    grain=Grain.DAY,
)

PAPER_ACCOUNTS = Table(
    "paper_accounts",
    "a paper portfolio after a run of decisions; written last, so that orders and positions of a run that died are made again",
    ("model_version", "through"),
    "through",
    (
        MODEL_VERSION,
        required(
            "through", INSTANT, "all that was predicted up to here is decided, all that was known is settled"
        ),
        required("cash_usd", REAL, "free"),
        required("locked_usd", REAL, "open positions at cost"),
        required("realised_usd", REAL, "gained by settled positions since the beginning"),
        required("fees_usd", REAL, "paid since the beginning"),
        optional(
            "open_since",
            INSTANT,
            "opened_at of the oldest open position: nothing older is read; null: none is open",
        ),
        required("decided", INT32, "predictions decided in this run"),
        required("unbounded", INT32, "of these, without a bound to trade on"),
        required("orders", INT32, "orders of this run"),
        required("fills", INT32, "of these, filled"),
        required("settled", INT32, "positions settled in this run"),
    ),
    grain=Grain.DAY,
)

TRIALS = Table(
    "trials",
    "something that was tried in order to be better; each one weighs on what may be claimed",
    ("run_id", "made_for", "number"),
    "tried_at",
    (
        required("run_id", TEXT, "run of the tracking server that it was part of"),
        required(
            "made_for",
            TEXT,
            "cut it was tried before; model: all rows; sealed: weeks that were opened for a claim",
        ),
        required("number", INT32, "0, 1, … within that"),
        required("tried_at", INSTANT, "when it was stored"),
        required("what", TEXT, "JSON: the shape of the trees"),
        optional(
            "loss",
            REAL,
            "log loss on inner folds − that of B3, nats; null: given up early, or the one shape of a training that searched for none",
        ),
        required("state", TEXT, "complete | pruned | fail"),
    ),
    grain=Grain.DAY,
)

TABLES = (FEATURES, TRAINING_SET, TRIALS, PREDICTIONS, PAPER_ORDERS, PAPER_POSITIONS, PAPER_ACCOUNTS)
