"""Addresses of what a market's page leads to: names of the venue may hold anything, so they are quoted."""

from __future__ import annotations

from urllib.parse import quote

from console.place import Place
from polymarket_assets.masking import masked
from polymarket_assets.settings import LOOPBACK


def market(name: str) -> str:
    """The page of a market."""
    return f"/market/{quote(name, safe='')}"


def event(name: str) -> str:
    """The page of an event."""
    return f"/event/{quote(name, safe='')}"


def rows(table: str, market_id: str) -> str:
    """A table's rows of a market."""
    return f"/table/{table}?where={quote(f'market_id:=:{market_id}', safe='')}"


def asset(place: Place, *key: str) -> str:
    """The page of an asset in Dagster."""
    settings = place.settings
    base = settings.dagster_url or f"http://{LOOPBACK}:{settings.dagster_port}"
    return f"{base.rstrip('/')}/assets/{'/'.join(key)}"


def version(place: Place, name: str) -> str | None:
    """The page of a version of a model (`<registered name>/<version>`) in MLflow; None where there are no pages."""
    settings = place.settings
    told = settings.mlflow_url or settings.mlflow_tracking_uri or ""
    model, _, number = name.rpartition("/")
    if not told.startswith("http") or not model or not number.isdigit():
        return None
    return f"{masked(told).rstrip('/')}/#/models/{quote(model, safe='')}/versions/{number}"
