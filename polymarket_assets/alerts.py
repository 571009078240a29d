"""The sensor that tells: every minute what is due is asked (`health.SOURCES`), and what changed goes to Slack.

Its state is a file under `STATE_DIR` and not the sensor's cursor: that is written when a tick has ended, and a message that
was sent before would be sent again. Who tests the sensor in the UI meanwhile finds it at work, and nothing is told twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from polymarket_assets import health
from polymarket_assets.alerting import delivery, slack, telling
from polymarket_assets.alerting.slack import Send
from polymarket_assets.alerting.telling import Told
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import LakeResource, SettingsResource
from polymarket_assets.settings import Settings
from polymarket_assets.watching import metrics
from polymarket_assets.watching.findings import Finding, Source, Watched

# Dagster gives a tick sixty seconds; what is wrong is told two or three looks after it began.
EVERY_S = 60
_LOCK = "alerts.lock"


@dg.sensor(
    minimum_interval_seconds=EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks at what is wrong and what happened, and tells Slack once of each change.",
)
def alerts(context: dg.SensorEvaluationContext, lake: LakeResource, settings: SettingsResource) -> dg.SkipReason:  # fmt: skip
    """Starts nothing: what it says is how the look went."""
    told = settings.read()
    if told.state_dir is None:
        return dg.SkipReason("STATE_DIR is not set: what was told could not be remembered, so nothing is")
    try:
        return dg.SkipReason(str(look_and_tell(context.instance, lake.open, told, utc_now())))
    except Timeout:
        return dg.SkipReason("another look is at work")


def look_and_tell(
    instance: dg.DagsterInstance,
    open_lake: Callable[[], Lake],
    settings: Settings,
    now: datetime,
    *,
    sources: Sequence[Source] = health.SOURCES,
    send: Send | None = None,
) -> Told:
    """One look as of `now`.

    Raises:
        Timeout: another one is at work.
        OSError: its state cannot be written; nothing was sent.
    """
    folder = settings.need_state_dir()
    folder.mkdir(parents=True, exist_ok=True)
    watched = Watched(settings, now, open_lake, lambda: instance)
    with FileLock(folder / _LOCK, timeout=0):
        told = telling.tell(
            folder, sources, lambda due, standing: health.look(replace(watched, standing=standing), due), send or slack.to(_webhook(settings)),
            now=now, is_muted=settings.is_muted, base=settings.dagster_url or f"http://127.0.0.1:{settings.dagster_port}",
        )  # fmt: skip
        _write_metrics(folder, told, {source.name for source in sources}, now)
    return told


def _webhook(settings: Settings) -> str | None:
    secret = settings.slack_webhook_url
    return secret.get_secret_value() if secret else None


def _write_metrics(folder: Path, told: Told, known: set[str], now: datetime) -> None:
    """Also of sources that were not due: their figures, and what they found, are those of their last look."""
    figures = [
        *(figure for figures in metrics.remembered(folder, told.looks, known).values() for figure in figures),
        *delivery.figures(told.state, now),
    ]
    standing = [incident for incident in told.state.incidents.values() if incident.seen]
    metrics.write(folder, figures, [Finding(one.key, one.severity, one.since, one.text) for one in standing], now)  # fmt: skip


ALL = [alerts]
