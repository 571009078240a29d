"""Figures in the text form of Prometheus, as node-exporter's textfile collector takes them; those of the stream are the streamer's own."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from polymarket_assets.watching.asking import Looked
from polymarket_assets.watching.findings import Figure, Finding, Severity

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

FILE = "metrics.prom"
KEPT = "figures.json"
PREFIX = "polymarket_"


def text(figures: Iterable[Figure], findings: Iterable[Finding], now: datetime) -> str:
    """The page."""
    from prometheus_client import generate_latest

    return generate_latest(_registry(figures, findings, now)).decode()


def write(folder: Path, figures: Iterable[Figure], findings: Iterable[Finding], now: datetime) -> None:
    """The file, whole or not at all. Raises `OSError`."""
    from prometheus_client import write_to_textfile

    write_to_textfile(str(folder / FILE), _registry(figures, findings, now))


def remembered(folder: Path, looks: Iterable[Looked], known: Set[str]) -> dict[str, list[Figure]]:
    """The figures of each source's last look, kept in a file of their own: nothing of what is told depends on it. Raises `OSError`."""
    path = folder / KEPT
    try:
        before = msgspec.json.decode(path.read_bytes(), type=dict[str, list[Figure]])
    except (FileNotFoundError, msgspec.MsgspecError):
        # They come again with the next looks.
        before = {}
    now = {looked.source: [figure for figure in looked.figures if isfinite(figure.value)] for looked in looks}
    kept = {source: figures for source, figures in {**before, **now}.items() if source in known}
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(kept))
    draft.replace(path)
    return kept


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
