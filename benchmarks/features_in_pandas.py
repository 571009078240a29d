"""Ten features as somebody careful would compute them in pandas: sorted once, `merge_asof` for lags, running sums for windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq

NAMES: tuple[str, ...] = (
    "mid", "spread_c", "logit_mid", "lret_1h", "range_24h_c", "n_moves_1h", "n_tr_1h", "usd_24h", "sflow_1h", "imb_top",
)  # fmt: skip
_INTERVALS_S = {"t0": 3_600, "t1": 300, "t2": 60, "t3": 30, "t4": 15}
_LISTENED = ("t2", "t3", "t4")


def computed(lake: Path, instants: Path) -> pd.DataFrame:
    """One row for each instant with a price, with `NAMES`."""
    quotes = _quotes(lake)
    rows = pq.read_table(instants).to_pandas().sort_values("as_of")
    rows = pd.merge_asof(
        rows,
        quotes.rename(columns={"received_at": "quoted_at"}).sort_values("quoted_at"),
        left_on="as_of",
        right_on="quoted_at",
        by="market_id",
    )
    rows = rows[(rows["as_of"] - rows["quoted_at"]) <= 2 * rows["interval"]]
    rows["logit_mid"] = np.log(rows["mid"] / (1 - rows["mid"]))
    rows = _lag(rows, quotes, pd.Timedelta(hours=1), "lret_1h")
    rows = _flows(rows, lake, quotes)
    return _books(rows, lake)[["market_id", "as_of", *NAMES]]  # fmt: skip


def _quotes(lake: Path) -> pd.DataFrame:
    columns = ["market_id", "received_at", "tier", "best_bid", "best_ask"]
    quotes = (
        ds.dataset(lake / "snapshots", format="parquet", partitioning=None)
        .to_table(columns=columns)
        .to_pandas()
    )
    quotes = quotes.sort_values(["market_id", "received_at"], kind="stable").reset_index(drop=True)
    quotes["mid"] = (quotes["best_bid"] + quotes["best_ask"]) / 2
    quotes["spread_c"] = 100 * (quotes["best_ask"] - quotes["best_bid"])
    quotes["interval"] = pd.to_timedelta(quotes["tier"].map(_INTERVALS_S), unit="s")
    quotes["l"] = np.round(1e6 * np.log(quotes["mid"] / (1 - quotes["mid"])))
    quotes["e6x2"] = np.round(quotes["mid"] * 2e6)
    timed = quotes.set_index("received_at").groupby("market_id", sort=False)["e6x2"]
    day = timed.rolling("24h", closed="both")
    count = day.count().to_numpy()
    quotes["range_24h_c"] = np.where(count > 1, (day.max().to_numpy() - day.min().to_numpy()) / 2e4, np.nan)
    quotes["moved"] = (
        (quotes["e6x2"] != quotes["e6x2"].shift()) & (quotes["market_id"] == quotes["market_id"].shift())
    ).astype(float)
    hour = quotes.set_index("received_at").groupby("market_id", sort=False)["moved"].rolling("1h")
    prices, moves = hour.count().to_numpy(), hour.sum().to_numpy()
    first = np.arange(len(quotes)) - prices.astype(int) + 1
    quotes["n_moves_1h"] = np.where(
        prices > 1, (moves - quotes["moved"].to_numpy()[first]) / np.maximum(prices - 1, 1), np.nan
    )
    return quotes.drop(columns=["moved"])  # fmt: skip


def _lag(rows: pd.DataFrame, quotes: pd.DataFrame, back: pd.Timedelta, name: str) -> pd.DataFrame:
    rows["then"] = rows["quoted_at"] - back
    before = (
        quotes[["market_id", "received_at", "l", "interval"]]
        .rename(columns={"received_at": "before_at", "l": "before_l", "interval": "before_interval"})
        .sort_values("before_at")
    )
    rows = pd.merge_asof(
        rows.sort_values("then"), before, left_on="then", right_on="before_at", by="market_id"
    )
    fresh = (rows["then"] - rows["before_at"] <= 2 * rows["before_interval"]) & (rows["interval"] <= back)
    rows[name] = np.where(fresh, (rows["l"] - rows["before_l"]) / 1e6, np.nan)
    return rows  # fmt: skip


def _flows(rows: pd.DataFrame, lake: Path, quotes: pd.DataFrame) -> pd.DataFrame:
    columns = ["market_id", "received_at", "outcome_index", "is_buy", "price_e6", "size_e6", "tx_hash"]
    trades = (
        ds.dataset(lake / "trades_raw", format="parquet", partitioning=None)
        .to_table(columns=columns)
        .to_pandas()
    )
    trades = trades.drop_duplicates(
        ["market_id", "tx_hash", "outcome_index", "is_buy", "price_e6", "size_e6"]
    )
    trades = trades.sort_values(["market_id", "received_at"], kind="stable")
    trades["usd"] = trades["price_e6"].astype("int64") * trades["size_e6"] // 1_000_000
    trades["signed"] = np.where(
        trades["is_buy"] == (trades["outcome_index"] == 0), trades["usd"], -trades["usd"]
    )
    by_market = trades.groupby("market_id", sort=False)
    sums = pd.DataFrame(
        {
            "market_id": trades["market_id"],
            "at": trades["received_at"],
            "count": by_market.cumcount() + 1,
            "usd": by_market["usd"].cumsum(),
            "signed": by_market["signed"].cumsum(),
        }
    ).sort_values("at")
    first = quotes.groupby("market_id")["received_at"].min()
    heard = rows["tier"].isin(_LISTENED).to_numpy()
    since = rows["market_id"].map(first)
    begins: dict[str, Any] = {
        "now": rows["as_of"],
        "1h": rows["as_of"] - pd.Timedelta(hours=1),
        "24h": rows["as_of"] - pd.Timedelta(hours=24),
    }
    for window, at in begins.items():
        rows["edge"] = at
        order = rows[["market_id", "edge"]].reset_index().sort_values("edge")
        found = (
            pd.merge_asof(
                order, sums, left_on="edge", right_on="at", by="market_id", allow_exact_matches=False
            )
            .set_index("index")
            .reindex(rows.index)
        )
        for name in ("count", "usd", "signed"):
            rows[f"{name}_{window}"] = found[name].fillna(0)
    for window, hours, least in (("1h", 1, 0.9), ("24h", 24, 1 / 24)):
        unheard = (since - (rows["as_of"] - pd.Timedelta(hours=hours))).clip(lower=pd.Timedelta(0))
        known = heard & (unheard <= pd.Timedelta(microseconds=round((1 - least) * hours * 3.6e9))).to_numpy()
        usd = rows["usd_now"] - rows[f"usd_{window}"]
        if window == "1h":
            rows["n_tr_1h"] = np.where(known, np.log1p(rows["count_now"] - rows["count_1h"]), np.nan)
            rows["sflow_1h"] = np.where(
                known & (usd != 0), (rows["signed_now"] - rows["signed_1h"]) / usd.where(usd != 0, 1), np.nan
            )
        else:
            rows["usd_24h"] = np.where(known, np.log1p(usd / 1e6), np.nan)
    return rows.drop(columns=["edge"])  # fmt: skip


def _books(rows: pd.DataFrame, lake: Path) -> pd.DataFrame:
    columns = ["market_id", "received_at", "bids", "asks"]
    table = ds.dataset(lake / "orderbooks", format="parquet", partitioning=None).to_table(columns=columns)
    books = table.select(["market_id", "received_at"]).to_pandas()
    for side in ("bids", "asks"):
        levels = table.column(side).combine_chunks()
        starts, ends = levels.offsets.to_numpy()[:-1], levels.offsets.to_numpy()[1:]
        sizes = levels.values.field("size_e6").to_numpy()
        books[side] = np.where(ends > starts, sizes[np.minimum(starts, len(sizes) - 1)] / 1e6, np.nan)
    books["imb_top"] = (books["bids"] - books["asks"]) / (books["bids"] + books["asks"])
    books = (
        books[["market_id", "received_at", "imb_top"]]
        .rename(columns={"received_at": "booked_at"})
        .sort_values("booked_at")
    )
    rows = pd.merge_asof(
        rows.sort_values("as_of"), books, left_on="as_of", right_on="booked_at", by="market_id"
    )
    rows.loc[rows["as_of"] - rows["booked_at"] > 2 * rows["interval"], "imb_top"] = np.nan
    return rows  # fmt: skip
