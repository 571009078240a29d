"""Blocking checks bite: a partition that repeats a key stops what would be built on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from polymarket_assets import checks
from polymarket_assets.definitions import build_defs
from polymarket_assets.lake import reading
from polymarket_assets.lake.schemas import TABLES, Grain, Table
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.resources import LakeResource
from polymarket_assets_tests.conftest import either_store

AT = datetime(2026, 11, 2, 13, 5, tzinfo=UTC)
CHECKED = sorted({table for table, _ in checks._CHECKED.values()})
FILED = [name for name in CHECKED if TABLES[name].filed_by is not None]


def value(kind: pa.DataType) -> Any:
    """Some value of a column's type."""
    if pa.types.is_timestamp(kind):
        return AT
    if pa.types.is_date(kind):
        return AT.date()
    if pa.types.is_fixed_size_binary(kind):
        return bytes(kind.byte_width)
    if pa.types.is_list(kind):
        return []
    return "text" if pa.types.is_string(kind) else False if pa.types.is_boolean(kind) else 1


def publish(lake: Lake, table: Table, *parts: str, at: datetime = AT) -> None:
    row = {column.name: value(column.type) for column in table.columns}
    where: dict[str, Any] = {} if table.grain is Grain.WHOLE else {"at": at}
    for part in parts:
        lake.publish_rows(table.name, [row], part=part, **where)


@pytest.mark.parametrize("name", CHECKED)
def test_a_repeated_key_is_found_in_the_partition_that_holds_it(name: str, lake: Lake) -> None:
    table, resource = TABLES[name], LakeResource(root=lake.root)
    span = Span.hour(AT) if table.grain is Grain.HOUR else Span.day(AT)
    assert checks.duplicates(resource, name, span) == 0
    publish(lake, table, "a")
    assert checks.duplicates(resource, name, span) == 0
    publish(lake, table, "b")
    assert checks.duplicates(resource, name, span) == 1
    if table.grain is not Grain.WHOLE:
        before = Span(span.start - timedelta(days=1), span.start)
        assert checks.duplicates(resource, name, before) == 0


@pytest.mark.parametrize("name", FILED)
def test_rows_in_the_folder_of_another_hour_or_day_are_found(name: str, lake: Lake) -> None:
    table, resource = TABLES[name], LakeResource(root=lake.root)
    publish(lake, table, "right")
    assert checks.misfiled(resource, name, None) == 0
    publish(lake, table, "wrong", at=AT - timedelta(days=1))
    assert checks.misfiled(resource, name, None) == 1
    assert checks.misfiled(resource, name, Span.day(AT)) == 0


def possible(table: str) -> dict[str, Any]:
    """A row that breaks no rule."""
    row = {column.name: value(column.type) for column in TABLES[table].columns}
    if table == "trades":
        return {**row, "price_e6": 400_000, "size_e6": 5_000_001, "usd_e6": 2_000_000, "source": "both"}
    return {**row, "usd_e6": 600_000_000}


@pytest.mark.parametrize(
    ("table", "rule", "changed"),
    [
        ("trades", "prices_are_possible", {"price_e6": 1_000_001, "usd_e6": 5_000_006}),
        ("trades", "prices_are_possible", {"price_e6": -1, "usd_e6": -6}),
        ("trades", "sizes_are_positive", {"size_e6": 0, "usd_e6": 0}),
        ("trades", "dollars_are_price_times_size", {"usd_e6": 2_000_001}),
        ("trades", "known_after_the_match", {"received_at": AT - timedelta(hours=2)}),
        ("trades", "sources_are_known", {"source": "hearsay"}),
        ("trades", "sources_are_known", {"source": "rest", "tx_hash": None}),
        ("whale_events", "shares_are_positive", {"depth_share": 0.0}),
        ("whale_events", "whales_are_large", {"usd_e6": 499_999_999}),
    ],
)
def test_an_impossible_row_is_found_by_its_rule(
    lake: Lake, table: str, rule: str, changed: dict[str, Any]
) -> None:
    resource, span = LakeResource(root=lake.root), Span.hour(AT)
    assert checks.impossible(resource, table, rule, span) == 0
    lake.publish_rows(table, [possible(table)], part="right", at=AT)
    assert {name: checks.impossible(resource, table, name, span) for name in checks.RULES[table]} == dict.fromkeys(checks.RULES[table], 0)  # fmt: skip
    lake.publish_rows(table, [{**possible(table), **changed}], part="wrong", at=AT)
    assert checks.impossible(resource, table, rule, span) == 1


@either_store
def test_checks_look_at_a_lake_wherever_it_lies(lake: Lake) -> None:
    """DuckDB on its own asks elsewhere for what opens an object store, and knows no clock of ours."""
    resource, table = LakeResource(root=lake.root), TABLES["trades"]
    publish(lake, table, "a", "b")
    assert checks.duplicates(resource, "trades", Span.hour(AT)) == 1
    assert checks.misfiled(resource, "trades", Span.hour(AT)) == 0
    assert checks.impossible(resource, "trades", "sources_are_known", Span.hour(AT)) == 2


def test_the_check_of_a_partition_fails_and_holds_back_what_is_downstream(lake: Lake) -> None:
    key = dg.AssetCheckKey(dg.AssetKey("history_prices"), "keys_are_unique")
    check = next(c for c in checks.ALL if key in c.check_keys)
    built = []

    @dg.asset(partitions_def=checks.DAY)
    def history_prices() -> None:
        publish(lake, TABLES["history_prices"], "a", "b")

    @dg.asset(partitions_def=checks.DAY, deps=[history_prices])
    def downstream() -> None:
        built.append(True)

    ran = dg.materialize(
        [history_prices, downstream, check],
        partition_key=f"{date(2026, 11, 2)}",
        resources={"lake": LakeResource(root=lake.root)},
        raise_on_error=False,
    )
    assert [found.check_name for found in ran.get_asset_check_evaluations() if not found.passed] == ["keys_are_unique"]  # fmt: skip
    assert not ran.success
    assert not built


def test_every_rule_is_a_blocking_check_and_warnings_hold_nothing_back() -> None:
    blocking = {spec.name: spec.blocking for check in checks.ALL for spec in check.check_specs if spec.asset_key == dg.AssetKey("trades")}  # fmt: skip
    warnings = {"stream_and_data_api_agree", "gaps_are_healed", "trades_stand_once"}
    assert blocking == {**dict.fromkeys([*checks.RULES["trades"], "keys_are_unique", "rows_are_filed_right"], True), **dict.fromkeys(warnings, False)}  # fmt: skip


def test_the_folder_of_a_lake_is_not_made_by_looking(tmp_path: Path) -> None:
    assert checks.duplicates(LakeResource(root=str(tmp_path / "none")), "trades", Span.hour(AT)) == 0
    assert not (tmp_path / "none").exists()


def test_the_job_of_a_closed_hour_builds_trades_and_whales_and_checks_both(lake: Lake) -> None:
    """One run: trades from what was heard, held against their checks, and only then the large ones."""
    heard = {
        "session_id": "a", "connection": 0, "sequence": 1, "received_at": AT, "venue_at": AT, "market_id": f"pm:0x{1:064x}",
        "token_id": "1", "outcome_index": 0, "is_buy": True, "price_e6": 500_000, "size_e6": 20_000_000_000, "tx_hash": bytes(32),
    }  # fmt: skip
    lake.publish_rows("trades_raw", [heard], part="0", at=AT)
    defs = build_defs(lake=LakeResource(root=lake.root))
    ran = defs.get_job_def("closed_hour").execute_in_process(partition_key="2026-11-02-13:00")
    assert ran.success
    assert {e.check_name for e in ran.get_asset_check_evaluations()} >= {*checks.RULES["trades"], *checks.RULES["whale_events"]}  # fmt: skip
    assert all(e.passed for e in ran.get_asset_check_evaluations())
    (whale,) = reading.rows(lake, "whale_events").to_pylist()
    assert whale["usd_e6"] == 10_000_000_000
