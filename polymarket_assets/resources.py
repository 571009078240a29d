"""Resources: what assets are handed. Each holds at most one setting and hands out a domain object.

A setting left out is read from the environment when a run starts, never at import: definitions load
anywhere, and a missing variable is a failed run with one sentence.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from pydantic import Field

from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings, load


class LakeResource(dg.ConfigurableResource):
    """The lake at `root`, else at `LAKE_ROOT`."""

    root: str | None = None

    def open(self) -> Lake:
        """Raises `NotConfigured` without a root and `NewerLake` for one this version cannot read."""
        return Lake(self.root or load().need_lake_root())


class SettingsResource(dg.ConfigurableResource):
    """The settings of the process; `replaced` stands in for the environment in tests."""

    replaced: dict[str, str] = Field(default_factory=dict)

    def read(self) -> Settings:
        """Raises `NotConfigured` for a malformed variable."""
        return load(**self.replaced)


class VenueResource(dg.ConfigurableResource):
    """The venue's clients, at the addresses the settings name."""

    settings: dg.ResourceDependency[SettingsResource]

    @contextmanager
    def connected(self, rank: int | None = None) -> Iterator[object]:
        """A `venue.Venue`, closed afterwards; `rank` is its place in line for the limits, None the last."""
        from polymarket_assets import venue

        opened = venue.connect(self.settings.read(), rank=rank)
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def connected_many(self, count: int) -> Iterator[object]:
        """`venue.Connections` for so many threads, closed afterwards."""
        from polymarket_assets import venue

        opened = venue.connect_many(self.settings.read(), count)
        try:
            yield opened
        finally:
            opened.close()


class TrackingResource(dg.ConfigurableResource):
    """The tracking server at `uri`, else at `MLFLOW_TRACKING_URI`."""

    uri: str | None = None

    def address(self) -> str:
        """Raises `NotConfigured` when neither is set."""
        return self.uri or load().need_mlflow_tracking_uri()


def default_resources() -> dict[str, dg.ConfigurableResource]:
    """Resources by the names assets ask for."""
    settings = SettingsResource()
    return {
        "lake": LakeResource(),
        "settings": settings,
        "venue": VenueResource(settings=settings),
        "tracking": TrackingResource(),
    }
