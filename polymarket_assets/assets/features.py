"""Features: markets at decision instants, as they could have been known then. Two assets fill one table."""

from base64 import b64encode

import dagster as dg
import pyarrow as pa

from polymarket_assets.assets.running import run_span, told_plainly, written_metadata
from polymarket_assets.lake.writing import Written
from polymarket_assets.partitions import DAY, HOUR, hour_key
from polymarket_assets.resources import LakeResource, SettingsResource
from polymarket_assets.tiers import TIERS

_SNAPSHOTS = [dg.AssetKey(["snapshots", tier.name]) for tier in TIERS]
_BOOKS = [dg.AssetKey(["orderbooks", tier.name]) for tier in TIERS]


@dg.asset(
    partitions_def=HOUR,
    deps=["markets", "trades", *_SNAPSHOTS, *_BOOKS],
    group_name="features",
    kinds={"duckdb", "parquet"},
    owners=["team:learning"],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def features(
    context: dg.AssetExecutionContext, lake: LakeResource, settings: SettingsResource
) -> dg.MaterializeResult:
    """Recorded markets at the instants of the decision grid that lie in the hour."""
    from polymarket_assets.learning.evidence.recorded import publish_recorded

    with told_plainly():
        opened, streamed, told = lake.open(), tuple(settings.read().stream_tiers), _Told(context)
        for hour in run_span(context).hours():
            told.partition(
                hour_key(hour), publish_recorded(opened, hour, streamed=streamed, on_rows=told.rows)
            )
        told.picture()
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=DAY,
    deps=["history_markets", "history_prices", "history_trades"],
    group_name="features",
    kinds={"duckdb", "parquet"},
    owners=["team:learning"],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def history_features(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Closed and imported markets at the instants of the decision grid that lie in the day; in the table `features`."""
    from polymarket_assets.learning.evidence.history import publish_history_days

    with told_plainly():
        opened, span, told = lake.open(), run_span(context), _Told(context)
        for day, written in zip(
            span.days(), publish_history_days(opened, span, on_rows=told.rows), strict=True
        ):
            told.partition(f"{day:%Y-%m-%d}", written)
        told.picture()
    return dg.MaterializeResult()


class _Told:
    """What each partition of a range holds, how often its features are null, and all of that as a picture on the last of them."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        from polymarket_assets.learning.nulls import Nulls

        self._context, self._every, self._latest, self._key = context, Nulls(), Nulls(), ""

    def rows(self, rows: pa.Table) -> None:
        """Count rows, before they are published."""
        self._latest = type(self._every)()
        self._latest.add(rows)
        self._every.add(rows)

    def partition(self, key: str, written: Written) -> None:
        """Of one partition: a result would give all of a range the same figures."""
        self._key = key
        said = {**written_metadata(written), "null_rates": dg.MetadataValue.json(self._latest.rates())}
        self._context.add_asset_metadata(said, partition_key=key)

    def picture(self) -> None:
        """The picture of all that was counted."""
        if drawn := self._every.picture():
            shown = f"![null rates](data:image/png;base64,{b64encode(drawn).decode()})"
            self._context.add_asset_metadata({"nulls": dg.MetadataValue.md(shown)}, partition_key=self._key)


ASSETS = [features, history_features]
