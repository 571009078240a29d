"""The conditions that the drill forces, as data: of each the kind, who finds it, how it is forced, and what health must say meanwhile.

`unknown` has none: what is forced here is known. That a source which cannot be asked is told, and concludes nothing, is for
tests (`polymarket_assets_tests/watching/test_asking.py`).
"""

from __future__ import annotations

from functools import partial

from drills.forced import Condition, databases, disks, news, records, slots, streams, venues
from polymarket_assets.watching.findings import Severity

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL

CONDITIONS: tuple[Condition, ...] = (
    Condition("a disk fills", "disk_full", "disks", disks.full, CRITICAL, "the disk of LAKE_ROOT is 100.0 % full"),
    Condition("the lake turns read-only", "lake_unwritable", "lake", disks.read_only, CRITICAL, "it is read-only"),
    Condition("the disk is full in days", "disk_forecast", "forecast", disks.filling, CRITICAL, "the lake's disk is full in"),
    Condition("connections of the storage run out", "storage_connections", "storage", databases.exhausted, CRITICAL, "has no connection left"),
    Condition("the storage is killed", "storage_unreachable", "storage", databases.unreachable, CRITICAL, "Connection refused"),
    Condition("a tier falls silent", "tier_silent", "tiers", slots.silent, CRITICAL, "T4 was not sampled since"),
    Condition("slots are lost", "success_low", "tiers", slots.poor, CRITICAL, "50 % of the last 20 slots of T4 were taken"),
    Condition("the streamer is killed", "stream_dead", "stream", streams.killed, CRITICAL, "no streamer answers"),
    Condition("one of two streamers is killed", "stream_dead", "stream", streams.one_of_two, CRITICAL, "what shard 1of2 heard last"),
    Condition("the streamer cannot publish", "stream_critical", "stream", streams.unwritable, CRITICAL, "it is read-only"),
    Condition("the venue takes no sockets", "stream_coverage", "stream", streams.deaf, WARNING, "are heard (0 %)"),
    Condition("no trades while the market trades", "stream_no_trades", "stream", streams.untraded, CRITICAL, "5 markets of streamed tiers traded"),
    Condition("a run fails", "run_failed", "runs", records.failed_run, WARNING, "the last run of keeping failed"),
    Condition("runs pile up", "run_backlog", "runs", records.backlog, CRITICAL, "4 runs wait"),
    Condition("a failed partition is left", "partition_failed", "partitions", records.left_partition, WARNING, f"closed_hour of {records.PARTITION} failed, and nobody made trades"),
    Condition("a blocking check fails", "check_failed", "checks", records.failed_check, CRITICAL, "does not hold"),
    Condition("an asset is stale", "asset_stale", "assets", records.stale, WARNING, "markets was not made since"),
    Condition("a model's features drift", "model_drifted", "models", partial(records.warned, "features_as_learnt"), WARNING, "is not what it learnt from"),
    Condition("a model gains less live", "model_live_gap", "models", partial(records.warned, "live_as_out_of_fold"), WARNING, "does not gain live"),
    Condition("the venue is away", "venue_unrecordable", "venue", venues.away, CRITICAL, "the venue cannot be reached"),
    Condition("the Data API is of yesterday", "venue_former", "venue", venues.former, WARNING, "only v1 of the Data API answers"),
    Condition("another generation answers", "venue_generation", "venue", venues.changed, None, "GET /v2/trades"),
    Condition("a large order", "whale", "whales", news.whale, None, "$80,000 bought"),
    Condition("an edge", "edge", "edges", news.edge, None, "polymarket/3"),
    Condition("a model is promoted and refused", "model_decided", "decisions", news.decided, None, "granted, all 9 gates hold"),
    Condition("a day is over: resolved", "resolved", "days", news.day_over, None, "1 markets were seen to resolve"),
    Condition("a day is over: digest", "digest", "days", news.day_over, None, "no slot was accounted for"),
)  # fmt: skip
