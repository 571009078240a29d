"""Figures in the text form of Prometheus, as node-exporter's textfile collector takes them; those of the stream are the streamer's own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from polymarket_assets.watching.findings import Figure, Finding, Severity

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

FILE = "metrics.prom"
PREFIX = "polymarket_"


def text(figures: Iterable[Figure], findings: Iterable[Finding], now: datetime) -> str:
    """The page."""
    from prometheus_client import generate_latest

    return generate_latest(_registry(figures, findings, now)).decode()


def write(folder: Path, figures: Iterable[Figure], findings: Iterable[Finding], now: datetime) -> None:
    """The file, whole or not at all. Raises `OSError`."""
    from prometheus_client import write_to_textfile

    write_to_textfile(str(folder / FILE), _registry(figures, findings, now))


def _registry(figures: Iterable[Figure], findings: Iterable[Finding], now: datetime) -> CollectorRegistry:
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for figure in [*figures, *_counted(findings), Figure("looked_at_timestamp_seconds", "When this was looked at.", now.timestamp())]:  # fmt: skip
        gauge = gauges.get(figure.name)
        if gauge is None:
            gauge = gauges[figure.name] = Gauge(PREFIX + figure.name, figure.said, sorted(figure.labels), registry=registry)  # fmt: skip
        (gauge.labels(**figure.labels) if figure.labels else gauge).set(figure.value)
    return registry


def _counted(findings: Iterable[Finding]) -> Iterable[Figure]:
    of = [finding.severity for finding in findings]
    return [Figure("findings", "What is wrong now, by severity.", of.count(severity), {"severity": severity.value}) for severity in Severity]  # fmt: skip
