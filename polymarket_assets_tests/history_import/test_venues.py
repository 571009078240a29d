"""Venues are not mixed, and a market that several sources have is labelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.history_import.errors import BadDataset
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.history_import import cases
from polymarket_assets_tests.history_import.conftest import NOW, Import
from polymarket_assets_tests.history_import.test_forms import GAMMA, put
from polymarket_assets_tests.history_import.test_mapping import CONDITIONS, dataset, reasons


def test_a_market_known_as_another_venues_is_refused(lake: Lake, folder: Path, import_: Import) -> None:
    """Prices of two venues under one id would be one series of a market that nobody could trade."""
    import_(dataset(folder))
    files = {path: path.stat().st_mtime_ns for path in Path(lake.root).rglob("*.parquet")}
    found = reasons(import_, dataset(folder, venue="polymarket_us"))
    assert len(found) == 1
    assert found[0].startswith(
        "mine markets: 4 markets of the venue polymarket_us are markets of import in the lake"
    )
    assert {path: path.stat().st_mtime_ns for path in Path(lake.root).rglob("*.parquet")} == files


def test_an_import_that_says_nothing_after_another_settled_writes_nothing(
    lake: Lake, tmp_path: Path, import_: Import
) -> None:
    """Two sources of one market would otherwise take turns in the newest version, import after import."""
    condition = cases.sport()["condition_id"]
    cases.sports(tmp_path / "sports", [cases.sport(winner=None)])
    put(
        tmp_path / "gamma",
        gamma_markets_2024=[{**GAMMA, "conditionId": condition, "umaResolutionStatus": "proposed"}],
    )
    for n in range(3):
        for name in ("sports", "gamma"):
            import_(tmp_path / name, now=NOW.replace(day=1 + n))
    versions = reading.rows(lake, "resolutions").sort_by("version").to_pylist()
    assert [(row["version"], row["source"], row["state"]) for row in versions] == [
        (1, "sports_closing", "open"),
        (2, "gamma_2024", "proposed"),
    ]


@pytest.mark.parametrize(
    ("changed", "settled_elsewhere", "contradicted"),
    [
        ({}, 1, 0),
        ({"outcomePrices": '["1", "0"]'}, 0, 1),
        ({"umaResolutionStatus": "proposed"}, 1, 0),
    ],
)
def test_what_one_dataset_settled_another_does_not_overrule(
    lake: Lake,
    tmp_path: Path,
    import_: Import,
    changed: dict[str, Any],
    settled_elsewhere: int,
    contradicted: int,
) -> None:
    condition = cases.sport()["condition_id"]
    import_(cases.sports(tmp_path / "sports"))
    gamma = put(tmp_path / "gamma", gamma_markets_2024=[{**GAMMA, "conditionId": condition, **changed}])
    (imported,) = import_(gamma).datasets
    assert imported.labelled is not None
    assert (imported.labelled.settled_elsewhere, imported.labelled.contradicted) == (
        settled_elsewhere,
        contradicted,
    )
    assert reading.rows(lake, "resolutions").num_rows == 1


def test_an_id_that_only_one_venue_gives_is_not_taken_by_another(
    lake: Lake, tmp_path: Path, import_: Import
) -> None:
    path = dataset(
        tmp_path,
        f"m,ends,won\n{CONDITIONS[1]},2026-04-02T12:00:00Z,1\n",
        f"m,t,p\n{CONDITIONS[1]},1775124000,0.5\n",
        ids="condition",
        venue="import",
    )
    with pytest.raises(BadDataset, match="condition ids are the venue polymarket's"):
        import_(path)
