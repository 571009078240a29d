"""Out-of-fold rows: what every forecast said of rows that nothing it rests on had seen, and how they ended.

Training writes them, evaluation and backtest read them, and a run of MLflow keeps them: no later figure needs a model.
"""

from __future__ import annotations

import pyarrow as pa

_INSTANT = pa.timestamp("us", tz="UTC")

# The ladder of ML.md 1.4 above the mid itself (B1): column and what it is. Fitted ones are fitted on the fold's train side.
BASELINES: dict[str, str] = {
    "b0": "share that came true, by category",
    "b1m": "microprice; the mid where no book stands",
    "b1n": "mid over the sum of its set; the mid where there is no whole set",
    "b2": "recalibrated mid, a + b logit(mid)",
    "b2i": "isotonic of the mid; null: fewer than 2,000 groups to fit it on",
    "b3": "recalibrated by category, horizon and negRisk, shrunk by a ridge",
    "b4": "some 20 standardised features on the price's log-odds, with a ridge",
}
PRICE = "mid"
MODEL = "probability"

SCHEMA = pa.schema(
    [
        ("market_id", pa.string()),
        ("as_of", _INSTANT),
        ("event_id", pa.string()),
        ("group_id", pa.string()),
        ("source", pa.string()),
        # What slices are made of.
        ("category", pa.string()),
        ("tier", pa.string()),
        ("neg_risk", pa.bool_()),
        ("yesno_labels", pa.bool_()),
        ("updown_labels", pa.bool_()),
        ("horizon_h", pa.float64()),
        ("spread_c", pa.float64()),
        ("was_disputed", pa.bool_()),
        # How it ended.
        ("label", pa.int8()),
        ("label_seen_at", _INSTANT),
        ("weight", pa.float64()),
        # What was said of it.
        (PRICE, pa.float64()),
        *((name, pa.float64()) for name in BASELINES),
        (MODEL, pa.float64()),
        # Standard deviation of the correction over members trained on other draws of groups, logits, after kappa.
        ("correction_sd", pa.float64()),
        # Where it stands.
        ("fold", pa.int32()),
        ("cut_at", _INSTANT),
        ("is_sealed", pa.bool_()),
    ]
)
