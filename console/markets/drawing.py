"""The charts of a market's page as blocks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from console import parts
from console.blocks import Block, Chart, Empty
from console.charting import spec, trust
from polymarket_assets.report import market
from polymarket_assets.report.charts import Frame
from polymarket_assets.report.page import Panel
from polymarket_assets.report.subject import Subject

# A chart is read with all others of its page, and written by the part that shows it.
Drawing = Callable[[], list[Block]]


def charts(connection: Any, found: Subject, frame: Frame) -> dict[str, Drawing]:
    """By name (`report.market.PANELS`), of `quotes`, `shown` and `dealt` (`report.sources`)."""
    trust()
    return {name: _read(name, partial(draw, connection, found, frame)) for name, draw in market.PANELS.items()}  # fmt: skip


def _read(name: str, draw: Callable[[], Panel]) -> Drawing:
    """One that cannot be read says so in its own place."""
    read = parts.told(f"the chart of {name}", draw)
    return cache(partial(blocks, name, read)) if isinstance(read, Panel) else partial(list, [read])


def blocks(name: str, panel: Panel) -> list[Block]:
    """A panel as blocks; without a chart its remark says why."""
    if panel.chart is None:
        return [Empty(panel.remark)]
    return [Chart(name, spec(panel.chart), f"{panel.title}. {panel.remark}".strip())]
