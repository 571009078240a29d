"""Live: what models say of the newest snapshots, stored before the outcome, and a portfolio that trades it on paper."""

from datetime import datetime, timedelta

import dagster as dg
from pydantic import Field

from polymarket_assets.assets.running import (
    materialized,
    metadata,
    partition_metadata,
    run_span,
    told_plainly,
)
from polymarket_assets.lake.spans import Span
from polymarket_assets.learning.backtest import rules as trading
from polymarket_assets.learning.live import FILED_S
from polymarket_assets.partitions import HOUR, utc_now
from polymarket_assets.resources import LakeResource, SettingsResource, TrackingResource
from polymarket_assets.tiers import TIERS
from polymarket_assets.venue.errors import Refused

_SNAPSHOTS = [dg.AssetKey(["snapshots", tier.name]) for tier in TIERS if tier.name != "t0"]
# A run that waited in a queue over the end of its hour speaks as of the hour's last instant; later than this it does not.
LATE = timedelta(minutes=10)


class PastHour(Refused):
    """Predictions were asked for of an hour that is over: they would not be stored before the outcome."""


class ForecastConfig(dg.Config):
    """How far back an instant lies of which all that was known is there; shorter is for the demo, whose markets live for minutes."""

    FILED_S: float = Field(FILED_S, ge=0)  # after which what was heard at an instant lies in the lake


class PaperConfig(dg.Config):
    """How orders meet books; shorter times are for the demo, whose markets live for minutes."""

    LATENCY_S: float = Field(trading.LATENCY_S, ge=0)  # from the forecast to the order
    WAIT_S: float = Field(trading.WAIT_S, gt=0)  # an order waits no longer for a book
    FILED_S: float = Field(trading.FILED_S, ge=0)  # after which every book of an instant lies in the lake


@dg.asset(
    partitions_def=HOUR,
    deps=["markets", *_SNAPSHOTS],
    group_name="live",
    kinds={"xgboost", "mlflow", "parquet"},
    owners=["team:learning"],
)
def predictions(
    context: dg.AssetExecutionContext, config: ForecastConfig, lake: LakeResource, tracking: TrackingResource, settings: SettingsResource
) -> dg.MaterializeResult:  # fmt: skip
    """What champion, shadow and challenger say of the markets in T1 … T4 a minute ago, beside the price; a past hour cannot be predicted again."""
    from polymarket_assets.learning.live import scoring
    from polymarket_assets.learning.tracking.registry import Registry

    with told_plainly():
        span, now, opened = run_span(context), utc_now(), lake.open()
        as_of = _as_of(span, now, timedelta(seconds=config.FILED_S))
        followed = Registry(tracking.address()).followed()
        for role, why in followed.not_asked.items():
            context.log.warning(f"the {role} is not asked: {why}")
        predicted = scoring.scored(opened, followed.models, as_of=as_of, created_at=now, streamed=tuple(settings.read().stream_tiers))  # fmt: skip
        if predicted.num_rows:
            scoring.publish(opened, predicted, as_of)
        told = {"as_of": as_of, "predicted": predicted.num_rows, "not_asked": followed.not_asked or None, **{role: name for role, (name, _) in followed.models.items()}}  # fmt: skip
        return materialized(context, {**metadata(told), **partition_metadata(opened, "predictions", span)})


@dg.asset(
    partitions_def=HOUR,
    deps=[predictions, "resolutions"],
    group_name="live",
    kinds={"parquet"},
    owners=["team:learning"],
)
def paper_portfolio(context: dg.AssetExecutionContext, config: PaperConfig, lake: LakeResource) -> dg.MaterializeResult:  # fmt: skip
    """Predictions traded on recorded books, with fees and delay, and settled by what was seen to resolve; all that became due by now."""
    from polymarket_assets.learning import paper

    with told_plainly():
        opened, now = lake.open(), utc_now()
        rules = trading.Rules(latency_s=config.LATENCY_S, wait_s=config.WAIT_S, filed_s=config.FILED_S)
        traded = paper.trade(opened, now=now, rules=rules)
        standing = paper.portfolio(opened, now=now)
        for one in standing:
            context.log.info(one.verdict)
        told = {
            **metadata(traded, models=", ".join(traded.models)),
            **{one.model_version: one.verdict for one in standing},
        }
        return materialized(context, told)


def _as_of(span: Span, now: datetime, filed: timedelta) -> datetime:
    """The newest instant of which everything lies in the lake, in whole seconds, within the hour of the run."""
    if now >= span.end + LATE:
        raise PastHour(f"the hour {span.start:%Y-%m-%d %H:00} is over and cannot be predicted any more; what a model would have said of it is in its out-of-fold rows")  # fmt: skip
    return max(span.start, min((now - filed).replace(microsecond=0), span.end - timedelta(seconds=1)))


ASSETS = [predictions, paper_portfolio]
