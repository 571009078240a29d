"""The code location. `build_defs` assembles it; a test or another deployment replaces resources by name."""

import warnings

import dagster as dg

# Backfill policies and checks of one partition are in preview; we pin the version and test what we use.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from polymarket_assets import alerts, assets, checks, executing, jobs, pruning, schedules, sensors, watchdog  # noqa: E402
from polymarket_assets.resources import default_resources  # noqa: E402


def build_defs(**replaced: dg.ConfigurableResource) -> dg.Definitions:
    """The code location, with any resource replaced by name."""
    return dg.Definitions(
        assets=assets.ALL,
        asset_checks=checks.ALL,
        jobs=[*jobs.ALL, pruning.pruning],
        schedules=[*schedules.ALL, pruning.SCHEDULE],
        sensors=[*sensors.ALL, *watchdog.ALL, *alerts.ALL],
        resources={**default_resources(), **replaced},
        executor=executing.signed_executor,
    )


defs = build_defs()
