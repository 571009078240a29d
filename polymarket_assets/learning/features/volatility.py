"""Group volatility: how the price came here.

Log-odds are whole millionths, their mid kept 0.0005 from 0 and 1 whatever the tick, so that sums of them are exact and a change
of the tick moves nothing. Windows end at the newest price; a window that is not longer than prices are apart has no value.
"""

from __future__ import annotations

from polymarket_assets.learning.features.declaring import Feature, Mirror

# Seconds back, by the name that windows have in columns.
WINDOWS_S: dict[str, int] = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "6h": 21_600, "24h": 86_400}
DAY_S = 86_400
# Realised volatility: how long, and on which grid of the clock.
GRIDS_S: dict[str, tuple[int, int]] = {"1h": (3_600, 300), "24h": (86_400, 900)}
# Changes that a grid must have within its window.
LEAST_CHANGES = 10


def _return(name: str) -> Feature:
    return Feature(
        f"lret_{name}", f"log-odds of the mid now − {name} before the newest price", "logit", "S", name,
        f"prices are {name} or farther apart; none was fresh {name} before; no mid at either end", f"(logit_u - logit_u_{name}) / 1e6",
        idea="news under way, bounce, reversal after a day [ideanotes]", mirror=Mirror.NEGATED,
    )  # fmt: skip


def _volatility(name: str) -> Feature:
    back_s, step_s = GRIDS_S[name]
    return Feature(
        f"rv_{name}", f"√ of the summed squared changes of log-odds from one {step_s // 60}-minute step of the clock to the next, {back_s // step_s} steps back", "logit", "S", name,
        f"fewer than {LEAST_CHANGES} changes; no mid in the last step", f"sqrt(squares_{name}::double) / 1e6", idea="information arrives",
    )  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    *(_return(name) for name in WINDOWS_S),
    *(_volatility(name) for name in GRIDS_S),
    Feature("range_24h_c", "highest − lowest mid", "cents", "S", "24h", "no mid; fewer than two prices", "case when mid is not null and prices_24h > 1 then (highest_e6x2 - lowest_e6x2) / 2e4 end", idea="belief resolved or disputed"),
    Feature(
        "pos_range_24h", "(mid − lowest) / (highest − lowest)", "0 … 1", "S", "24h", "no mid; it never moved",
        "(mid_e6x2 - lowest_e6x2) / nullif(highest_e6x2 - lowest_e6x2, 0)", idea="at the high or at the low", mirror=Mirror.COMPLEMENT,
    ),
    Feature("ret_z_1h", "`lret_1h` / (`rv_24h` / √24)", "z", "S", "24h", "either is null; it never moved", "lret_1h / nullif(rv_24h / sqrt(24), 0)", idea="size of a surprise", mirror=Mirror.NEGATED),
    Feature(
        "unchanged_s", "log1p of seconds from the last change of the mid to `as_of`, from the first price of the day before where it did not change", "log s", "S", "24h", "no mid; fewer than two prices",
        "case when mid is not null and prices_24h > 1 then ln(1 + (epoch_us(as_of) - moved_us) / 1e6) end", idea="a stale quote, or certainty",
    ),
    Feature(
        "n_moves_1h", "share of prices that differ from the one before", "0 … 1", "S", "1h", "fewer than two prices",
        "case when prices_1h > 1 then moves_1h / (prices_1h - 1) end", leak="counts follow the cadence: a share", idea="activity",
    ),
)  # fmt: skip
