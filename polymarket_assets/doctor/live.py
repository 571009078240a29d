"""The installation as it runs: findings as a table with the next step, and figures for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from polymarket_assets import health
from polymarket_assets.alerting.messages import RUNBOOK
from polymarket_assets.health import Finding, Severity
from polymarket_assets.settings import Settings
from polymarket_assets.watching import metrics
from polymarket_assets.watching.kinds import STEPS

_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow"}


def show(console: Console, settings: Settings) -> int:
    """Print what is wrong now; returns the exit code: 0 nothing, 1 warnings, 2 something critical; what is muted does not count."""
    with health.watched(settings) as watched:
        with console.status("looking"):
            found = health.findings(watched)
        if found:
            console.print(_table(found, watched.now, settings))
        else:
            console.print(f"Nothing is wrong: {len(health.ASKED)} sources were asked.")
    return max(
        (1 + finding.severity.rank for finding in found if not settings.is_muted(finding.key)), default=0
    )


def figures(settings: Settings) -> str:
    """Every figure in Prometheus's form."""
    with health.watched(settings) as watched:
        looks = list(health.look(watched))
        return metrics.text(
            [figure for looked in looks for figure in looked.figures], health.ordered(looks), watched.now
        )


def _table(found: Sequence[Finding], now: datetime, settings: Settings) -> Table:
    table = Table(title="Findings", title_justify="left", caption=f"{RUNBOOK} has a section for each kind of key.", caption_justify="left")  # fmt: skip
    for column in ("severity", "key", "since"):
        table.add_column(column, no_wrap=column != "key", overflow="fold")
    for column in ("what", "next step"):
        table.add_column(column, overflow="fold")
    for one in found:
        since = f"{one.since:%m-%d %H:%M}" if one.since < now else "now"
        muted = " (muted)" if settings.is_muted(one.key) else ""
        table.add_row(Text(f"{one.severity}{muted}", "dim" if muted else _STYLES[one.severity]), *map(Text, (one.key, since, one.text, STEPS[one.kind])))  # fmt: skip
    return table
