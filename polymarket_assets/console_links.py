"""Addresses of the console's pages, for links in Dagster and MLflow."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from polymarket_assets.lake.spans import Span
from polymarket_assets.masking import masked
from polymarket_assets.settings import load


def of_table(table: str, span: Span | None = None) -> str:
    """The rows of a table; of a span, those filed in it. Raises `NotConfigured`."""
    if span is None:
        return _page(f"table/{table}")
    return _page(f"table/{table}", {"from": _instant(span.start), "to": _instant(span.end)})


def of_models(version: str = "") -> str:
    """The models, and one version of them by its number. Raises `NotConfigured`."""
    return _page("models", {"version": version} if version else {})


def in_markdown(address: str) -> str:
    """A link as the pages of Dagster and MLflow draw it."""
    return f"[In the console]({address})"


def _page(path: str, asked: dict[str, str] | None = None) -> str:
    return f"{masked(load().console_address)}/{quote(path)}{'?' + urlencode(asked) if asked else ''}"


def _instant(at: object) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
