"""What every asset does around its domain call: errors as failures that answer "again?", reports as metadata."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from polymarket_assets import console_links
from polymarket_assets.assets.columns import CONSOLE
from polymarket_assets.lake import holding, layout
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake, Written
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import VenueResource
from polymarket_assets.venue.errors import MalformedPayload, Refused, Unavailable

if TYPE_CHECKING:
    from polymarket_assets.venue import Connections, Venue

# What the clients gave up on, seconds later once more; beyond that the next tick is soon enough.
RETRY_VENUE = dg.RetryPolicy(
    max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)


class PastPartition(Refused):
    """A live asset was asked for an hour that is over."""


@contextmanager
def told_plainly(account: Callable[[], dict[str, Any]] = dict) -> Iterator[None]:
    """Domain errors become failures with their own sentence and an account as metadata; only `Unavailable` is worth a retry."""
    try:
        yield
    except Unavailable as e:
        raise dg.Failure(str(e), metadata=account(), allow_retries=True) from e
    except (Refused, MalformedPayload) as e:
        raise dg.Failure(str(e), metadata=account(), allow_retries=False) from e


def asking(venue: VenueResource, rank: int | None = None) -> AbstractContextManager["Venue"]:
    """The venue, connected, for one run; what fails tells what was asked, and how the breakers stood: then it matters most."""
    return _telling(venue.connected(rank))


def asking_by_many(venue: VenueResource, count: int) -> AbstractContextManager["Connections"]:
    """The same for so many threads."""
    return _telling(venue.connected_many(count))


@contextmanager
def _telling(connecting: AbstractContextManager[Any]) -> Iterator[Any]:
    with told_plainly(), connecting as connected, told_plainly(lambda: venue_metadata(connected)):
        yield connected


# What a run says that somebody stopped.
STOPPED = "stopped: nothing of it was published"


@contextmanager
def stopped_for_good() -> Iterator[None]:
    """Who stops a run does not want it again: for Dagster an interrupt is one more failure, and a retry policy begins anew."""
    try:
        yield
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as e:
        raise dg.Failure(STOPPED, allow_retries=False) from e


def refuse_past(context: dg.AssetExecutionContext, instead: str) -> None:
    """Raise `PastPartition` when the run's hour is over: what was not recorded then cannot be recorded now."""
    if context.partition_time_window.end <= utc_now():
        raise PastPartition(
            f"{context.asset_key.to_user_string()} of {context.partition_key} is over and cannot be recorded any more; {instead}"
        )


def run_span(context: dg.AssetExecutionContext) -> Span:
    """The hours or days a run is about."""
    window = context.partition_time_window
    return Span(window.start, window.end)


def metadata(report: Any, **more: Any) -> dict[str, Any]:
    """A report's fields as metadata."""
    fields = asdict(report) if is_dataclass(report) and not isinstance(report, type) else dict(report)
    return {name: _shown(value) for name, value in {**fields, **more}.items() if value is not None}


def materialized(
    context: dg.AssetExecutionContext, said: dict[str, Any], key: dg.AssetKey | None = None
) -> dg.MaterializeResult:
    """The result of an asset; of several made in one step, `key` says which.

    Metadata given to the result itself Dagster stores twice, of the output and of the asset.
    """
    context.add_asset_metadata(said, asset_key=key)
    return dg.MaterializeResult(asset_key=key)


def written_metadata(written: Written) -> dict[str, Any]:
    """Where a file was published and what it holds, under the names that the Dagster UI knows where it knows one; its rows in the console."""
    return {
        "dagster/uri": written.uri,
        "dagster/partition_row_count": written.rows,
        "partition_bytes": written.bytes,
        CONSOLE: dg.MetadataValue.url(console_links.of_table(written.table, layout.span_of(written.path))),
    }


def partition_metadata(lake: Lake, table: str, span: Span, tier: str | None = None) -> dict[str, Any]:
    """What a partition holds now, under the names that the Dagster UI knows where it knows one."""
    found = holding.held(lake, table, span, tier=tier)
    return {
        "dagster/uri": found.uri,
        "dagster/partition_row_count": found.rows,
        "partition_bytes": found.bytes,
        "partition_files": found.files,
        "from": dg.MetadataValue.timestamp(span.start),
        "to": dg.MetadataValue.timestamp(span.end),
        CONSOLE: dg.MetadataValue.url(console_links.of_table(table, span)),
    }


class Asked(Protocol):
    """What a run asked of the venue; see `venue.Venue.account`."""

    def account(self) -> dict[str, dict[str, int | float | str]]:
        """The account of each service that was asked."""


def venue_metadata(venue: Asked) -> dict[str, Any]:
    """What a run asked of each service, what limits made it wait, and how the breakers stand."""
    return {"venue": dg.MetadataValue.json(venue.account())}


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return dg.MetadataValue.timestamp(value)
    if isinstance(value, bool | int | float | str | dg.MetadataValue):
        return value
    if isinstance(value, dict):
        return dg.MetadataValue.json(
            {
                str(k): v if isinstance(v, int | float | str | bool) or v is None else str(v)
                for k, v in value.items()
            }
        )
    return str(value)
