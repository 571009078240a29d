"""Group event: the market among its siblings, the markets of its negRisk set, else of its event.

Siblings are those that were listed then; one counts as live while its newest price is fresh. Sums are of whole sets: where a
sibling has no mid (or ask), there is no sum. Without siblings there is no value but `n_sib`.
"""

from __future__ import annotations

from polymarket_assets.learning.features.declaring import Feature, Mirror
from polymarket_assets.learning.features.price import logit

# Sums of prices below this say nothing of shares of them.
_LEAST_SUM = 0.01
_ALONE = "no siblings"
_IS_SET = "siblings > 1"
_IS_PRICED = f"{_IS_SET} and sibling_mids = siblings"
_SUM = "sibling_mid_e6x2 / 2e6"

FEATURES: tuple[Feature, ...] = (
    Feature("sib_mid_dev", "sum of the mids − 1", "probability", "E", "now", f"{_ALONE}; one without a mid", f"case when {_IS_PRICED} then {_SUM} - 1 end", idea="a set over- or underpriced", mirror=Mirror.UNKNOWN),
    Feature(
        "sib_ask_dev", "sum of the asks − 1", "probability", "E", "now", f"{_ALONE}; one without an ask", f"case when {_IS_SET} and sibling_asks = siblings then sibling_ask_e6 / 1e6 - 1 end",
        idea="buying all of them", mirror=Mirror.UNKNOWN,
    ),
    Feature("n_sib", "live markets of the set, itself included", "count", "E", "now", "never", "siblings_live::double", leak="as of then, never in the end", idea="overround grows with them"),
    Feature("sib_rank", "place of the mid among the live ones, the highest 1; equal ones share the better", "rank", "E", "now", f"{_ALONE}; no mid", f"case when {_IS_SET} then sibling_rank::double end", idea="favourite or field", mirror=Mirror.UNKNOWN),
    Feature(
        "norm_logit_shift", "logit(mid / sum of the mids) − `logit_mid`", "logit", "E", "now", f"{_ALONE}; one without a mid; a sum below {_LEAST_SUM}",
        f"case when {_IS_PRICED} and {_SUM} >= {_LEAST_SUM} then {logit(f'(mid / ({_SUM}))')} - logit_mid end", idea="price without its overround", mirror=Mirror.UNKNOWN,
    ),
    Feature("lead_gap", "mid − best mid of the others", "probability", "E", "now", f"{_ALONE} with a mid", f"case when {_IS_SET} then (mid_e6x2 - best_other_e6x2) / 2e6 end", idea="how close it is", mirror=Mirror.UNKNOWN),
    Feature(
        "event_move_1h", "sum of the others' absolute changes of mid over an hour", "probability", "E", "1h", f"{_ALONE} with a mid at both ends", f"case when {_IS_SET} then others_moved_e6x2 / 2e6 end",
        leak="its own move is left out", idea="news in the set",
    ),
)  # fmt: skip
