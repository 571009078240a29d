"""Books and snapshots of an hour are looked over in a job of their own, and not by the windows."""

from __future__ import annotations

import dagster as dg

from polymarket_assets.collecting.quality import LEAST_ROWS
from polymarket_assets.collecting.snapshotting import snapshots
from polymarket_assets.collecting.sweeping import books_table
from polymarket_assets.definitions import build_defs
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.resources import LakeResource
from polymarket_assets.tier_checks import filled_table
from polymarket_assets.tiers import BY_NAME
from polymarket_assets_tests.collecting.fakes import HOUR, book, market_id, market_row

AT = HOUR + BY_NAME["t4"].offset


def looked_over(lake: Lake, job_name: str = "hour_features") -> dg.ExecuteInProcessResult:
    job = build_defs(lake=LakeResource(root=lake.root)).get_job_def(job_name)
    return job.execute_in_process(partition_key=f"{HOUR:%Y-%m-%d-%H:00}", raise_on_error=False)


def failed(ran: dg.ExecuteInProcessResult) -> set[tuple[str, str]]:
    """Which checks of T4 do not hold."""
    evaluated = [e for e in ran.get_asset_check_evaluations() if len(e.asset_key.path) == 2]
    assert len(evaluated) == 5 * 11
    of_t4 = [e for e in evaluated if e.asset_key.path[1] == "t4"]
    assert all(
        e.severity == dg.AssetCheckSeverity.WARN
        for e in of_t4
        if e.check_name.endswith(("_complete", "_fresh", "_filled"))
    )
    return {(e.asset_key.path[0], e.check_name) for e in of_t4 if not e.passed}


def built(ran: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.path[0] for event in ran.get_asset_materialization_events() if event.asset_key}


def test_wrong_books_fail_their_checks_by_name_and_the_run(lake: Lake) -> None:
    wrong = book(0, [(400_000, 1), (500_000, 1)], [(1_200_000, 1)])
    for part in ("a", "b"):
        lake.publish("orderbooks", books_table([(market_id(0), wrong, AT)], AT), part=part, at=AT, tier="t4")
    ran = looked_over(lake)
    assert failed(ran) == {
        ("orderbooks", name)
        for name in (
            "keys_are_unique",
            "prices_are_possible",
            "books_are_ordered",
            "slots_are_complete",
            "books_are_fresh",
        )
    }
    assert not ran.success


def test_wrong_snapshots_hold_back_what_is_built_on_them(lake: Lake) -> None:
    rows = snapshots(books_table([(market_id(0), book(0), AT)], AT), table_of("markets", [market_row(0)]))
    for part in ("a", "b"):
        lake.publish("snapshots", rows, part=part, at=AT, tier="t4")
    ran = looked_over(lake)
    assert ("snapshots", "keys_are_unique") in failed(ran)
    assert built(ran) == set()


def test_whales_are_not_measured_against_wrong_snapshots(lake: Lake) -> None:
    """Their checks run in a job of their own two minutes later: too late, and for another run."""
    rows = snapshots(books_table([(market_id(0), book(0), AT)], AT), table_of("markets", [market_row(0)]))
    lake.publish("snapshots", rows, part="a", at=AT, tier="t4")
    assert built(looked_over(lake, "closed_hour")) == {"trades", "whale_events"}
    lake.publish("snapshots", rows, part="b", at=AT, tier="t4")
    ran = looked_over(lake, "closed_hour")
    assert {e.check_name for e in ran.get_asset_check_evaluations() if not e.passed} == {"keys_are_unique"}
    assert built(ran) == {"trades"}
    looked = {e.check_name for e in ran.get_asset_check_evaluations() if e.asset_key.path[0] == "snapshots"}
    assert looked == {"keys_are_unique", "prices_are_possible"}, (
        "what only warns is said once, by the other job"
    )


def test_a_column_that_empties_warns_and_holds_nothing_back(lake: Lake) -> None:
    at = [AT + n * BY_NAME["t4"].every for n in range(LEAST_ROWS)]
    for slot in at:
        table = books_table([(market_id(0), book(0), slot)], slot)
        rows = snapshots(table, table_of("markets", [market_row(0, volume_usd=None)]))
        lake.publish("snapshots", rows, part=f"{slot:%M%S}", at=slot, tier="t4")
    ran = looked_over(lake)
    assert ("snapshots", "columns_are_filled") in failed(ran)
    (said,) = [e for e in ran.get_asset_check_evaluations() if e.check_name == "columns_are_filled" and not e.passed]  # fmt: skip
    assert "none: volume_usd in 0% of the rows, at least 90%" in str(said.metadata["emptied"].value)
    head, _, *lines = str(said.metadata["filled"].value).splitlines()
    assert head == f"| column | none ({LEAST_ROWS} rows) |"
    assert any("volume_usd" in line and line.endswith("| 0 % |") for line in lines)
    assert ran.success


def test_columns_that_are_filled_alike_share_a_line() -> None:
    shares = [
        {"category_": "crypto", "rows_": 1_600, "mid": 1.0, "spread": 0.9996, "best_bid": 0.9991, "venue_at": 1.0},
        {"category_": "sports", "rows_": 3, "mid": 1.0, "spread": 2 / 3, "best_bid": 2 / 3, "venue_at": 0.0},
    ]  # fmt: skip
    assert filled_table(shares).splitlines() == [
        "| column | crypto (1,600 rows) | sports (3 rows) |",
        "| --- | --- | --- |",
        "| spread, best_bid | 99 % | 66 % |",
        "| venue_at | 100 % | 0 % |",
    ]
    assert filled_table([]).splitlines() == ["| column |", "| --- |"]


def test_an_hour_that_nobody_sampled_only_warns(lake: Lake) -> None:
    ran = looked_over(lake)
    assert failed(ran) == {("orderbooks", "slots_are_complete")}
    assert ran.success
    assert built(ran) == {"features", "market_hours"}


def test_windows_do_not_look_at_an_hour_half_full() -> None:
    job = build_defs().get_job_def("window_t4")
    assert not job.asset_layer.selected_asset_keys.isdisjoint({dg.AssetKey(["orderbooks", "t4"])})
    assert not [name for name in job.graph.node_dict if name.startswith("check_")]
