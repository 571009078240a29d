"""HTML of pages and their parts; every text is escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup, escape
from rich.filesize import decimal

from console import charting
from console.blocks import Block
from console.parts import Asked, Page, Part

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


def size(count: float) -> str:
    """Bytes as kB, MB, …"""
    return decimal(round(count))


def number(value: float) -> str:
    """A figure with what of it can be read: whole above a thousand, four digits below."""
    if isinstance(value, int) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def instant(at: datetime | date) -> str:
    """Seconds of UTC; a day is a day."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if isinstance(at, datetime) else f"{at:%Y-%m-%d}"


def kind(value: object) -> str:
    """What the templates draw a cell or block as: the name of its class, in lower case."""
    return type(value).__name__.lower()


def coded(text: str) -> Markup:
    """A sentence with what stands between backticks as code; every character of it is escaped."""
    parts = str(escape(text)).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts)))


def _version() -> str:
    """Of the scripts and styles: browsers keep them until they change."""
    files = sorted(path for path in STATIC.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


VERSION = _version()
_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
)  # fmt: skip
_environment.filters.update(
    size=size, number=number, instant=instant, kind=kind, coded=coded, query=urlencode
)


def rendered(template: str, **given: Any) -> str:
    """A template with what it is given."""
    return _environment.get_template(template).render(version=VERSION, **given)


def page(found: Page, pages: Sequence[Page], asked: Asked) -> str:
    """The frame of a page; its parts come by themselves."""
    return _framed("page.html", pages, page=found, asked=asked)


def api(pages: Sequence[Page], described: Mapping[str, Any]) -> str:
    """The endpoints, as their OpenAPI document describes them."""
    return _framed("api.html", pages, page=Page("api", "API", ()), asked=Asked(), described=described)


def _framed(template: str, pages: Sequence[Page], **given: Any) -> str:
    return rendered(template, pages=pages, charts=charting.release(), inks=charting.configs(), **given)


def part(found: Part, blocks: Sequence[Block], at: datetime) -> str:
    """What stands in a part."""
    return rendered("part.html", part=found, blocks=blocks, at=at)
