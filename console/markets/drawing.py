"""The charts of a market's page as blocks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from console import parts
from console.blocks import Block, Chart, Empty
from console.charting import spec, trust
from polymarket_assets.report import market
from polymarket_assets.report.charts import Frame
from polymarket_assets.report.page import Panel
from polymarket_assets.report.subject import Subject


def charts(connection: Any, found: Subject, frame: Frame) -> dict[str, list[Block]]:
    """By name (`report.market.PANELS`), of `quotes`, `shown` and `dealt` (`report.sources`)."""
    trust()
    return {
        name: parts.tried(f"the chart of {name}", partial(_drawn, name, draw, connection, found, frame))
        for name, draw in market.PANELS.items()
    }  # fmt: skip


def _drawn(name: str, draw: Callable[[Any, Subject, Frame], Panel], connection: Any, found: Subject, frame: Frame) -> list[Block]:  # fmt: skip
    return blocks(name, draw(connection, found, frame))


def blocks(name: str, panel: Panel) -> list[Block]:
    """A panel as blocks; without a chart its remark says why."""
    if panel.chart is None:
        return [Empty(panel.remark)]
    return [Chart(name, spec(panel.chart), f"{panel.title}. {panel.remark}".strip())]
