"""The kinds of findings and events there are, by the names that docs/alerts.md explains, and what to do about each finding."""

from __future__ import annotations

# Kind of finding -> the next step.
STEPS: dict[str, str] = {
    "unknown": "see why that source does not answer; nothing is known of it meanwhile",
    "lake_unwritable": "look at the disk of LAKE_ROOT: mounted, free, writable for this user",
    "disk_full": "shorten RETENTION_DAYS_<TABLE>, set COLD_ROOT, or add a disk",
    "disk_forecast": "`python -m polymarket_assets.lake forecast` says which table grows",
    "storage_unreachable": "look whether Dagster's database runs, and at its disk",
    "storage_connections": "raise max_connections, or see in pg_stat_activity who holds them",
    "tier_silent": "look at the tier's job in the UI, and whether the daemon runs",
    "success_low": "look at the reasons in `sweeps`: the venue, its limits, or this machine",
    "stream_dead": "start it: `python -m streamer run`; its log says why it ended",
    "stream_critical": "`python -m streamer status critical` says what it needs",
    "stream_coverage": "`python -m streamer status coverage` lists what is not heard",
    "stream_no_trades": "`python -m streamer status`; restart the streamer where its sockets are open",
    "run_failed": "open the run: its last error says whether to run it again",
    "partition_failed": "materialize what is missing of the partition, from the asset's page",
    "run_backlog": "look at the queue: a lane that is held, or a backfill that is too large",
    "check_failed": "open the check: its figures say which rows; materialize the partition again",
    "asset_stale": "look whether its schedule or sensor is on and its runs succeed",
    "model_drifted": "open the check `features_as_learnt`: which features moved; train again",
    "model_live_gap": "open the check `live_as_out_of_fold`; follow the price until it is explained",
    "venue_unrecordable": "`python -m polymarket_assets.doctor` asks every endpoint",
    "alerts_undelivered": "see why Slack takes nothing: the log of the sensor `alerts` says; the webhook, or the network",
    "venue_former": "`python -m polymarket_assets.doctor` says what is lost without v2",
}  # fmt: skip

# Kinds of events, which need no step: they are told once.
EVENTS: tuple[str, ...] = ("whale", "edge", "model_decided", "venue_generation", "resolved", "digest")
