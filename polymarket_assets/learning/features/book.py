"""Group book: what rests in the newest book, however it was recorded.

Sums run over whole millionths of the levels. Distances are from the side's own best price, but where a mid is named.
"""

from __future__ import annotations

from polymarket_assets.learning.features.declaring import Feature, Mirror

# Dollars that a buyer of `walk_cost_100_c` spends.
WALK_USD = 100
# Levels farther than this from the best say little about where the price is.
MEAN_DISTANCE_C = 10

_OTHER = {"bid": "ask", "ask": "bid"}


def _depth(side: str, cents: int) -> Feature:
    return Feature(
        f"{side}_depth_{cents}c", f"log1p of dollars resting within {cents} cents of the best {side}", "log $", "B", "now", f"no book; no {side}s",
        f"ln(1 + {side}_usd_{cents}c)", leak="books come cut to their best levels", idea="support, resistance, patience", mirror=Mirror.UNKNOWN,
    )  # fmt: skip


def _imbalance(name: str, said: str) -> Feature:
    bid, ask = f"bid_shares_{name}", f"ask_shares_{name}"
    return Feature(
        f"imb_{name}", f"(bid − ask) / (bid + ask) of shares {said}", "−1 … 1", "B", "now", "no book; one-sided", f"({bid} - {ask}) / nullif({bid} + {ask}, 0)",
        leak="books near 0 and 1 are one-sided by nature: with `logit_mid`", idea="short drift; the wider, the harder to spoof [cks]", mirror=Mirror.NEGATED,
    )  # fmt: skip


def _wall_share(side: str) -> Feature:
    return Feature(
        f"wall_share_{side}", f"largest level / all shares of the {side}s", "0 … 1", "B", "now", f"no book; no {side}s", f"{side}_wall_shares / nullif({side}_shares, 0)",
        idea="a wall, a spoof, a farmer of rewards", mirror=f"wall_share_{_OTHER[side]}",
    )  # fmt: skip


_MIDDLE_C = "(bid_best_c + ask_best_c) / 2"
_BID_DISTANCE_C, _ASK_DISTANCE_C = f"({_MIDDLE_C} - bid_wall_c)", f"(ask_wall_c - {_MIDDLE_C})"

FEATURES: tuple[Feature, ...] = (
    Feature(
        "micro_dev_c", "(bid × ask size + ask × bid size) / both sizes − middle of the book", "cents", "B", "now", "no book; one-sided",
        f"(bid_best_c * ask_shares_top + ask_best_c * bid_shares_top) / nullif(bid_shares_top + ask_shares_top, 0) - {_MIDDLE_C}", idea="pressure of queues [stoikov]", mirror=Mirror.NEGATED,
    ),
    *(_depth(side, cents) for cents in (1, 5) for side in ("bid", "ask")),
    _imbalance("top", "at the best prices"),
    _imbalance("2c", "within 2 cents of the best"),
    _imbalance("5c", "within 5 cents of the best"),
    Feature(
        "slope_diff", f"mean distance of ask shares from the best ask − the same of bids, within {MEAN_DISTANCE_C} cents", "cents", "B", "now",
        "no book; fewer than three levels of a side within that", "case when least(bid_near_levels, ask_near_levels) >= 3 then ask_mean_c - bid_mean_c end", idea="which side is thinner farther out", mirror=Mirror.NEGATED,
    ),
    *(_wall_share(side) for side in ("bid", "ask")),
    Feature(
        "wall_dist_c", "signed distance of the largest level of both sides from the middle; below it negative", "cents", "B", "now", "no book; one-sided",
        f"case when bid_wall_shares >= ask_wall_shares then -{_BID_DISTANCE_C} else {_ASK_DISTANCE_C} end", idea="where a barrier stands", mirror=Mirror.NEGATED,
    ),
    Feature("n_levels", "levels of bids and asks", "count", "B", "now", "no book", "(bid_levels + ask_levels)::double", leak="books come cut to their best levels", idea="participation"),
    Feature(
        "book_entropy", "entropy of the shares of all levels / ln(levels)", "0 … 1", "B", "now", "no book; fewer than two levels; all of size 0",
        "case when bid_levels + ask_levels >= 2 and level_shares > 0 then greatest(0, least(1, (ln(level_shares) - level_shares_ln / level_shares) / ln(bid_levels + ask_levels))) end", idea="flat: a market maker; peaks: few people",
    ),
    Feature(
        "walk_cost_100_c", f"mean price of buying for ${WALK_USD} − middle of the book", "cents", "B", "now", f"no book; one-sided; less than ${WALK_USD} on offer",
        f"case when walked_shares > 0 then 100 * {WALK_USD} / walked_shares - {_MIDDLE_C} end", idea="whether an edge can be had", mirror=Mirror.UNKNOWN,
    ),
)  # fmt: skip
