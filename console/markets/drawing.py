"""The charts of a market's page as blocks."""

from __future__ import annotations

import logging
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
from polymarket_assets.venue.errors import PolymarketError

log = logging.getLogger(__name__)


def charts(connection: Any, found: Subject, frame: Frame) -> dict[str, list[Block]]:
    """By name (`report.market.PANELS`), of `quotes`, `shown` and `dealt` (`report.sources`)."""
    trust()
    return {
        name: _drawn(name, partial(draw, connection, found, frame)) for name, draw in market.PANELS.items()
    }


def _drawn(name: str, draw: Callable[[], Panel]) -> list[Block]:
    """A chart that cannot be drawn takes no other one with it."""
    try:
        return blocks(name, draw())
    except Exception as e:
        log.log(logging.INFO if isinstance(e, PolymarketError) else logging.ERROR, "the chart of %s could not be drawn", name, exc_info=e)  # fmt: skip
        return [parts.failed(e, f"the chart of {name}")]


def blocks(name: str, panel: Panel) -> list[Block]:
    """A panel as blocks; without a chart its remark says why."""
    if panel.chart is None:
        return [Empty(panel.remark)]
    return [Chart(name, spec(panel.chart), f"{panel.title}. {panel.remark}".strip())]
