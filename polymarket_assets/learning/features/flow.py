"""Group flow: who traded, as it was known: trades *received* before the instant, strictly.

Where nobody listened there is no value; where somebody did and nobody traded, it is 0. Signs are of the canonical outcome:
buying the other one is selling it. Features of signs are only as good as `sign_quality` (Feature.is_signed).
"""

from __future__ import annotations

from polymarket_assets.learning.features.declaring import Feature, Mirror

# Seconds back, by the name that windows have in columns.
WINDOWS_S: dict[str, int] = {"5m": 300, "1h": 3_600, "24h": 86_400}
# Share of a window that must have been listened to. Markets are listened to in their last hours only, so that a day is rarely whole.
LEAST_HEARD: dict[str, float] = {"5m": 0.9, "1h": 0.9, "24h": 1 / 24}
# A constant, not a quantile of rows: the most that 1 % of fills were worth in a minute of the whole venue in February 2026.
WHALE_USD = 1_000
VPIN_BUCKETS, VPIN_LEAST_TRADES = 20, 40
KYLE_STEP_S, KYLE_LEAST_STEPS = 300, 12
# Ridge of the slope, in thousands of dollars squared: a hundred steps of $32 halve it.
KYLE_RIDGE = 0.1
OFI_BACK_S, OFI_LEAST_BOOKS = 900, 5

_DEAF = "nobody listened, or too little"
_TWICE = "naive sums count the legs of mints and merges twice [tsang]: takers' rows only"


def _count(name: str) -> Feature:
    return Feature(f"n_tr_{name}", "log1p of trades", "log count", "T", name, _DEAF, f"ln(1 + trades_{name})", leak="one feed for each feature", idea="bursts of attention")  # fmt: skip


def _usd(name: str) -> Feature:
    return Feature(f"usd_{name}", "log1p of dollars traded", "log $", "T", name, _DEAF, f"ln(1 + usd_e6_{name} / 1e6)", leak=_TWICE, idea="calibration varies with volume")  # fmt: skip


def _signed(name: str) -> Feature:
    return Feature(
        f"sflow_{name}", "dollars for − against the outcome / dollars", "−1 … 1", "T", name, f"{_DEAF}; no trades", f"signed_e6_{name} / nullif(usd_e6_{name}, 0)",
        leak="signs: `sign_quality`", idea="order flow [cks], takers' optimism", is_signed=True, mirror=Mirror.NEGATED,
    )  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    *(_count(name) for name in WINDOWS_S),
    _usd("1h"),
    _usd("24h"),
    *(_signed(name) for name in WINDOWS_S),
    Feature(
        "ofi_15m", "order-flow imbalance of the best levels from each book to the next / mean shares at the best prices", "ratio", "B", "15m",
        f"fewer than {OFI_LEAST_BOOKS} books; one-sided ones between", f"case when books_15m >= {OFI_LEAST_BOOKS} then ofi_e6_15m / nullif(top_e6_15m / books_15m, 0) end",
        idea="better than trades where signs are poor [cks][mlofi]", mirror=Mirror.NEGATED,
    ),
    Feature(
        "vpin_24h", f"mean of abs(bought − sold) / volume over {VPIN_BUCKETS} buckets of equal dollars", "0 … 1", "T", "24h", f"{_DEAF}; fewer than {VPIN_LEAST_TRADES} trades",
        "vpin_24h_of", leak="signs: `sign_quality`", idea="toxicity; true VPIN goes with worse Brier [qin]", is_signed=True,
    ),
    Feature("avg_usd_1h", "log1p of dollars a trade", "log $", "T", "1h", f"{_DEAF}; no trades", "ln(1 + usd_e6_1h / 1e6 / nullif(trades_1h, 0))", idea="who is trading"),
    Feature(
        "whale_share_24h", f"dollars of trades of ${WHALE_USD:,} or more / dollars", "0 … 1", "T", "24h", f"{_DEAF}; no trades", "whale_e6_24h / nullif(usd_e6_24h, 0)",
        leak="a fixed size: a quantile of all rows would know the future", idea="informed size [reactiv 5.2][taoprice]",
    ),
    Feature(
        "whale_sflow_24h", "the same dollars, for − against the outcome / their sum", "−1 … 1", "T", "24h", f"{_DEAF}; no such trade", "whale_signed_e6_24h / nullif(whale_e6_24h, 0)",
        leak="signs: `sign_quality`", idea="direction of large flow", is_signed=True, mirror=Mirror.NEGATED,
    ),
    Feature(
        "kyle_24h", f"slope through 0, with a ridge of {KYLE_RIDGE}, of changes of log-odds on signed dollars, {KYLE_STEP_S // 60}-minute steps of the clock", "logit / $1,000", "S T", "24h",
        f"{_DEAF}; fewer than {KYLE_LEAST_STEPS} steps with trades; no mid in the last step", f"(impact_24h::double / 1e15) / (signed_squares_24h::double / 1e18 + {KYLE_RIDGE})",
        leak="with wrong signs the slope turns round [dubach]", idea="impact is depth and information", is_signed=True,
    ),
    Feature(
        "trade_age_s", "log1p of seconds since the last trade heard in the last day; without one, since listening or the day began", "log s", "T", "24h", _DEAF,
        "ln(1 + traded_us_ago / 1e6)", idea="staleness",
    ),
)  # fmt: skip
