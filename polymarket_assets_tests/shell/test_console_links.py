"""Dagster and MLflow lead to the console: an asset to its table, a partition to its rows, a model to its version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from polymarket_assets import console_links
from polymarket_assets.assets.columns import with_columns
from polymarket_assets.assets.running import partition_metadata, written_metadata
from polymarket_assets.definitions import build_defs
from polymarket_assets.lake import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

HOUR = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROWS = "table/predictions?from=2026-03-02T12%3A00%3A00Z&to=2026-03-02T13%3A00%3A00Z"


def linked(said: Any) -> str:
    assert isinstance(said["console"], dg.UrlMetadataValue)
    return str(said["console"].value)


def test_every_asset_with_a_table_leads_to_its_rows_and_those_of_models_to_the_models() -> None:
    """An asset without its link would be a page of Dagster that ends there."""
    of_table = {"history_features": "features"}
    for spec in build_defs().resolve_all_asset_specs():
        name = spec.key.path[0]
        if name == "kept_hours":
            continue
        table = of_table.get(name, name)
        path = f"table/{table}" if table in TABLES else "models"
        assert linked(spec.metadata).endswith(f":8000/{path}")


@pytest.mark.parametrize(("given", "base"), [
    ({}, "http://127.0.0.1:8000"),
    ({"CONSOLE_PORT": "8123"}, "http://127.0.0.1:8123"),
    ({"CONSOLE_URL": "https://console.example/"}, "https://console.example"),
    ({"CONSOLE_URL": "https://user:secret@console.example"}, "https://console.example"),
])  # fmt: skip
def test_links_lead_where_people_open_the_console(given: dict[str, str], base: str, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert console_links.of_table("trades") == f"{base}/table/trades"
    assert console_links.of_models("7") == f"{base}/models?version=7"


def test_the_graph_loads_where_settings_are_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of them is, every run says; a code location that does not load says nothing."""
    monkeypatch.setenv("CONSOLE_PORT", "many")
    spec = with_columns(dg.AssetSpec("trades"))
    assert "console" not in spec.metadata
    assert "dagster/column_schema" in spec.metadata


def test_a_partition_leads_to_its_rows(lake: Lake) -> None:
    span = Span(HOUR, HOUR + timedelta(hours=1))
    assert linked(partition_metadata(lake, "predictions", span)).endswith(ROWS)
    row = {"model_version": "polymarket/1", "market_id": "pm:a", "as_of": HOUR, "mid": 0.5, "probability": 0.5, "created_at": HOUR}  # fmt: skip
    written = lake.publish_rows("predictions", [row], part="0", at=HOUR)
    assert linked(written_metadata(written)).endswith(ROWS)
