"""A page as HTML and as a picture, whole files or none: what stands on it is handed in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polymarket_assets.lake.storage import LocalStore

if TYPE_CHECKING:
    import altair as alt

_WIDTH = 960
# Titles stand left of a chart's axis; a panel without a chart has none.
_AXIS = 46
# Pixels of the picture for one of the chart: sharp on today's screens.
_SHARPNESS = 2.0
_NAME_CHARACTERS = 100
_INK = {"light": ("#1f2430", "#5b6470", "#d9dde3"), "dark": ("#e8eaed", "#a3acb8", "#3a424d")}


@dataclass(frozen=True)
class Panel:
    """A chart with its heading and a remark; without a chart, the remark says why there is none."""

    title: str
    remark: str
    chart: alt.LayerChart | None = None


@dataclass(frozen=True)
class Grid:
    """A table: headings, rows of text, the columns that are numbers, and those that are sentences."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    remark: str = ""
    numbers: frozenset[int] = frozenset()
    sentences: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Page:
    """What stands on a page, from top to bottom."""

    name: str
    title: str
    badges: Sequence[str]
    facts: Sequence[tuple[str, str]]
    panels: Sequence[Panel | Grid]
    grids: Sequence[Grid]
    made: str
    notes: Sequence[str] = field(default_factory=tuple)
    # What a reader is to take away, large under the title.
    lead: str = ""


@dataclass(frozen=True)
class Written:
    """Where a page lies, and its bytes."""

    html: Path
    png: Path
    bytes: int


def write(page: Page, folder: Path) -> Written:
    """Write a page and its picture into a folder. Raises `LakeUnwritable`."""
    store, name = LocalStore(folder, called="the folder"), file_name(page.name)
    content = html(page).encode()
    store.write_bytes(f"{name}.html", content)
    store.write_bytes(f"{name}.png", png(page))
    return Written(folder / f"{name}.html", folder / f"{name}.png", len(content))


def file_name(name: str) -> str:
    """A name that every file system takes; what it had to lose is told by a checksum, so that no two pages meet."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:_NAME_CHARACTERS]
    return (
        safe
        if safe and safe == name
        else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")
    )


def html(page: Page) -> str:
    """The whole page: charts, their library and style in one file; every text is escaped."""
    import jinja2
    import markupsafe
    import vl_convert

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("polymarket_assets.report", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )  # fmt: skip
    specs = {
        f"chart{n}": _spec(panel.chart)
        for n, panel in enumerate(page.panels)
        if isinstance(panel, Panel) and panel.chart is not None
    }
    # The library is code of ours and no text: the one thing that is not escaped.
    library = markupsafe.Markup(vl_convert.javascript_bundle(vl_version=_vega_lite()) if specs else "")  # type: ignore[call-arg]  # its stub knows no defaults
    configs = {theme: config(theme) for theme in _INK}
    return environment.get_template("page.html").render(page=page, specs=specs, configs=configs, library=library)  # fmt: skip


def png(page: Page) -> bytes:
    """The charts under one another, with title, badges and remarks; tables are on the page alone."""
    import altair as alt

    drawn = [_titled(panel) for panel in page.panels if isinstance(panel, Panel)]
    title = alt.TitleParams(_lines(page.title, 90), subtitle=_lines(" · ".join(page.badges), 150), fontSize=18, subtitleFontSize=12, offset=14)  # fmt: skip
    stacked = alt.vconcat(*drawn, spacing=22).resolve_scale(color="independent", fill="independent", stroke="independent", size="independent")  # fmt: skip
    return _rendered(stacked.properties(title=title, padding=20))


def picture(panel: Panel, *, sharpness: float = _SHARPNESS) -> bytes:
    """One panel as PNG, with its title and remark; `sharpness` is pixels of the picture for one of the chart."""
    return _rendered(_titled(panel).properties(padding=20), sharpness)


def _rendered(chart: Any, sharpness: float = _SHARPNESS) -> bytes:
    import vl_convert

    spec = chart.to_dict()
    return vl_convert.vegalite_to_png(spec, vl_version=_vega_lite(), scale=sharpness, config={**config("light"), "background": "white"})  # fmt: skip


def _titled(panel: Panel) -> Any:
    import altair as alt

    title = (
        alt.TitleParams(panel.title, subtitle=_lines(panel.remark, 150))
        if panel.remark
        else alt.TitleParams(panel.title)
    )
    if panel.chart is not None:
        return panel.chart.properties(title=title, width=_WIDTH)
    title.dx = -_AXIS
    return alt.Chart(alt.InlineData(values=[{}])).mark_text(text="").properties(title=title, width=_WIDTH, height=1)  # fmt: skip


def _lines(text: str, width: int) -> list[str]:
    """Text in lines of so many characters."""
    import textwrap

    return textwrap.wrap(text, width) or [""]


def _spec(chart: alt.LayerChart) -> dict[str, Any]:
    spec: dict[str, Any] = chart.properties(width="container").to_dict()
    spec.pop("config", None)
    return spec


def _vega_lite() -> str:
    """The release of Vega-Lite that Altair writes for, as vl-convert names it."""
    import altair

    return ".".join(altair.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def config(theme: str) -> dict[str, Any]:
    """Inks of a chart on light or dark paper."""
    ink, faint, grid = _INK[theme]
    axis = {"labelColor": faint, "titleColor": faint, "tickColor": grid, "domainColor": grid, "gridColor": grid, "gridOpacity": 0.7, "labelFontSize": 11}  # fmt: skip
    return {
        "background": "transparent",
        "view": {"stroke": grid},
        "axis": axis,
        "legend": {"labelColor": ink, "titleColor": faint, "labelFontSize": 12, "labelLimit": 360, "offset": 4},
        "title": {"color": ink, "subtitleColor": faint, "anchor": "start", "fontSize": 14, "subtitleFontSize": 11},
        "autosize": {"type": "fit-x", "contains": "padding"},
    }  # fmt: skip


def instant(at: datetime | date | None) -> str:
    """An instant to the second, a day; – where there is none."""
    if at is None:
        return "–"
    return f"{at:%Y-%m-%d %H:%M:%S}" if isinstance(at, datetime) else f"{at:%Y-%m-%d}"
