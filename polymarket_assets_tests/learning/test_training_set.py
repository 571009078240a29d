"""The training set: labels by version, weights by what was known, and an account of every row left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import training_set
from polymarket_assets.learning.evidence import grid
from polymarket_assets_tests.collecting.fakes import market_row
from polymarket_assets_tests.learning.rows import HOUR, NOON, closed_market, publish, resolution

END = NOON + 24 * HOUR
NOW = END + 48 * HOUR


def feature(name: str, hours: float = 12.0, **more: Any) -> dict[str, Any]:
    """A row of `features` of a market planned to live 48 hours."""
    as_of = END - hours * HOUR
    return {
        "market_id": f"pm:{name}", "as_of": as_of, "source": "recorded", "event_id": name, "group_id": f"event:{name}",
        "scheduled_end": END, "horizon_h": hours, "coverage": 1.0, "sources": ["markets", "snapshots"], "mid": 0.4,
        "category": "sports", "neg_risk": False, "yesno_labels": True, "by_deadline": False, "tod_sin": 0.0, "tod_cos": 1.0, "dow": 0,
        "age_h": _log1p(48 - hours), **more,
    }  # fmt: skip


def _log1p(hours: float) -> float:
    import math

    return math.log1p(hours)


def put(lake: Lake, rows: list[dict[str, Any]], part: str = "recorded") -> None:
    lake.publish_rows("features", rows, part=part, at=NOON)


def build(lake: Lake, now: datetime = NOW) -> training_set.TrainingSet:
    return training_set.build(lake, now=now)


@pytest.mark.parametrize(
    ("reason", "row", "resolved"),
    [
        ("kept", {}, {}),
        ("no_label", {}, None),
        ("no_label", {}, {"state": "open", "label": None}),
        ("not_final", {}, {"state": "proposed", "label": None}),
        ("not_final", {}, {"state": "disputed", "label": None}),
        ("split", {}, {"state": "split", "label": None}),
        ("annulled", {}, {"state": "annulled", "label": None}),
        ("ambiguous", {}, {"state": "ambiguous", "label": None}),
        ("no_label", {}, {"seen_at": NOW + HOUR}),
        ("label_later", {}, {"label_seen_at": NOW + HOUR}),
        ("not_due", {"scheduled_end": NOW + HOUR}, {}),
        ("decided", {}, {"decided_seen_at": END - 12 * HOUR}),
        ("decided", {}, {"decided_seen_at": None, "resolved_at": END - 13 * HOUR}),
        ("no_mid", {"mid": None}, {}),
    ],
)
def test_every_row_is_kept_or_counted_with_its_reason(
    lake: Lake, reason: str, row: dict[str, Any], resolved: dict[str, Any] | None
) -> None:
    put(lake, [feature("a", **row)])
    if resolved is not None:
        publish(lake, "resolutions", [resolution("pm:a", END + HOUR, 1, decided_seen_at=END) | resolved])
    built = build(lake)
    assert {why: count for why, count in built.census.items() if count} == {reason: 1}
    assert built.rows.num_rows == (reason == "kept")


def test_the_newest_version_that_was_known_labels(lake: Lake) -> None:
    put(lake, [feature("a")])
    versions = [resolution("pm:a", END + n * HOUR, n % 2, version=n, decided_seen_at=END) for n in (1, 2, 3)]
    publish(lake, "resolutions", versions)
    assert build(lake, now=END + 2 * HOUR).rows.select(["label", "label_version"]).to_pylist() == [
        {"label": 0, "label_version": 2}
    ]
    assert build(lake).rows.select(["label", "label_version"]).to_pylist() == [
        {"label": 1, "label_version": 3}
    ]


def test_a_recorded_row_stands_before_the_same_row_of_history(lake: Lake) -> None:
    put(lake, [feature("a", mid=0.4)])
    put(lake, [feature("a", mid=0.7, source="polymarket")], part="history")
    publish(lake, "resolutions", [resolution("pm:a", END, 1)])
    built = build(lake)
    assert built.census == {"kept": 1, "duplicate": 1}
    assert built.rows.column("mid").to_pylist() == [0.4]


def test_weights_sum_to_the_groups(lake: Lake) -> None:
    put(lake, [feature(name, hours) for name in "abc" for hours in (1.0, 2.0, 12.0)[: ord(name) - 96]])
    publish(lake, "resolutions", [resolution(f"pm:{name}", END, 1) for name in "abc"])
    assert sum(build(lake).rows.column("weight").to_pylist()) == pytest.approx(3)


def test_a_market_that_ended_early_does_not_weigh_more_per_row(lake: Lake) -> None:
    """One over the rows it ended up with would tell that it ended early (L4): 13.5 % of false skill."""
    put(lake, [*(feature("long", h) for h in (36.0, 24.0, 12.0, 6.0)), feature("short", 36.0)])
    publish(lake, "resolutions", [resolution(f"pm:{name}", END, 1) for name in ("long", "short")])
    assert len({round(weight, 12) for weight in build(lake).rows.column("weight").to_pylist()}) == 1


def test_siblings_share_the_weight_of_their_event_from_when_they_are_there(lake: Lake) -> None:
    """A sibling that comes later was not known before it came."""
    one = {"event_id": "e", "group_id": "event:e"}
    put(lake, [feature("a", 40.0, **one), feature("a", 12.0, **one), feature("b", 12.0, **one)])
    publish(lake, "resolutions", [resolution("pm:a", END, 1), resolution("pm:b", END, 0)])
    weights = {(row["market_id"], row["horizon_h"]): row["weight"] for row in build(lake).rows.to_pylist()}
    assert weights["pm:a", 12.0] == weights["pm:b", 12.0] == pytest.approx(weights["pm:a", 40.0] / 2)


def test_a_sibling_that_never_gets_a_label_weighs_as_one_that_does(lake: Lake) -> None:
    """Whether it would be labelled was not known at the instant."""
    one = {"event_id": "e", "group_id": "event:e"}
    put(lake, [feature("a", 40.0, **one), feature("a", 12.0, **one), feature("b", 12.0, **one)])
    publish(lake, "resolutions", [resolution("pm:a", END, 1)])
    weights = {row["horizon_h"]: row["weight"] for row in build(lake).rows.to_pylist()}
    assert weights[12.0] == pytest.approx(weights[40.0] / 2)


def test_groups_are_joined_over_all_partitions(lake: Lake) -> None:
    """An hour sees only its own markets; the same event must not stand in two groups."""
    put(lake, [feature("a", event_id="1", group_id="game:g"), feature("b", event_id="1", group_id="event:1")])
    put(lake, [feature("c", event_id="2", group_id="game:g")], part="history")
    publish(lake, "resolutions", [resolution(f"pm:{name}", END, 1) for name in "abc"])
    assert set(build(lake).rows.column("group_id").to_pylist()) == {"event:1"}


def test_the_same_question_of_one_day_is_one_group(lake: Lake) -> None:
    """Thresholds of one day, also where no event joins them; the same hour of another day, and another time of day, are others."""
    questions = {
        "a": "Bitcoin above $100,000 on June 3?", "b": "Bitcoin above $105k on June 3?", "c": "Bitcoin Up or Down - June 3, 3PM ET", "d": "Bitcoin Up or Down - June 3, 4PM ET",
    }  # fmt: skip
    put(lake, [feature(name) for name in questions] + [feature("e", scheduled_end=END + 24 * HOUR)])
    publish(lake, "history_markets", [closed_market(f"pm:{name}", END + 24 * HOUR * (name == "e"), question=question) for name, question in {**questions, "e": questions["a"]}.items()])  # fmt: skip
    publish(lake, "resolutions", [resolution(f"pm:{name}", END, 1) for name in "abcde"])
    group_of = {row["market_id"]: row["group_id"] for row in build(lake, END + 72 * HOUR).rows.to_pylist()}
    assert group_of["pm:a"] == group_of["pm:b"]
    assert len(set(group_of.values())) == 4


DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("what", "sibling", "more", "over_at"),
    [
        ("labelled", {}, {}, END + 2 * HOUR),
        ("labelled later", {"label_seen_at": END + 30 * HOUR}, {}, END + 30 * HOUR),
        ("annulled", {"state": "annulled", "label": None, "label_seen_at": None, "resolved_at": END + 5 * HOUR}, {}, END + 5 * HOUR),
        ("split, as seen", {"state": "split", "label": None, "label_seen_at": None, "seen_at": END + 3 * HOUR}, {}, END + 3 * HOUR),
        ("split, imported long after", {"state": "split", "label": None, "label_seen_at": None, "seen_at": NOW}, {"closed": NOW - 31 * DAY}, NOW - DAY),
        ("labelled early, not due yet", {}, {"scheduled_end": NOW + HOUR}, NOW + HOUR),
        ("still trading", None, {}, None),
        ("proposed", {"state": "proposed", "label": None}, {}, None),
        ("closed long ago without a label", None, {"closed": NOW - 31 * DAY}, NOW - DAY),
        ("closed a week ago without one", None, {"closed": NOW - 7 * DAY}, NOW + 23 * DAY),
    ],
)  # fmt: skip
def test_when_the_last_market_of_a_group_was_over(what: str, sibling: dict[str, Any] | None, more: dict[str, Any], over_at: datetime | None, lake: Lake) -> None:  # fmt: skip
    """Where no row of it is kept, too."""
    closed = {**more}.pop("closed", None)
    of_b = {name: value for name, value in more.items() if name != "closed"}
    put(lake, [feature("a", event_id="1", group_id="event:1"), feature("b", event_id="1", group_id="event:1", mid=None, **of_b)])  # fmt: skip
    publish(lake, "resolutions", [resolution("pm:a", END, 1, label_seen_at=END), *([] if sibling is None else [{**resolution("pm:b", END, 1), "label_seen_at": END + 2 * HOUR, **sibling}])])  # fmt: skip
    if closed is not None:
        publish(lake, "history_markets", [closed_market("pm:b", closed)])
    rows = build(lake).rows.to_pylist()
    assert {row["group_over_at"] for row in rows} == {over_at if over_at is None else max(over_at, END)}


@pytest.mark.parametrize(
    ("ended", "of", "late", "complete"),
    [(98, 100, 0, True), (97, 100, 0, False), (9, 10, 0, True), (8, 10, 0, False), (10, 20, 10, True), (0, 1, 0, True)],
    ids=["98 of 100", "97 of 100", "one of ten is missing", "two of ten are", "ten are due since yesterday only", "one alone"],
)  # fmt: skip
def test_rows_of_a_week_of_which_too_many_have_not_ended_are_censored(ended: int, of: int, late: int, complete: bool, lake: Lake) -> None:  # fmt: skip
    """Those that have ended are no fair sample: by a deadline, YES comes early. All rows are counted, whatever becomes of them."""
    now = END + 96 * HOUR
    due = [now - HOUR if n >= of - late else END for n in range(of)]
    put(
        lake,
        [
            feature(f"{n}", event_id=f"{n}", group_id=f"event:{n}", scheduled_end=end)
            for n, end in enumerate(due)
        ],
    )
    publish(lake, "resolutions", [resolution(f"pm:{n}", END, 1, label_seen_at=END) for n in range(ended)])
    census = build(lake, now).census
    assert (census["kept"], census.get("censored", 0)) == ((ended, 0) if complete else (0, ended))
    assert sum(census.values()) == of


@pytest.mark.parametrize(
    ("what", "market", "is_open"),
    [
        ("due in months: it has no row yet", {"received_at": NOW - HOUR, "effective_close": NOW + 90 * DAY}, True),
        ("of another event", {"received_at": NOW - HOUR, "effective_close": NOW + 90 * DAY, "event_id": "2"}, False),
        ("not known yet", {"received_at": NOW + HOUR, "effective_close": NOW + 90 * DAY}, False),
        ("closed", {"received_at": NOW - 40 * DAY, "effective_close": END, "phase": "closed"}, False),
        ("lost a year ago", {"received_at": NOW - 400 * DAY, "effective_close": NOW - 370 * DAY}, False),
    ],
)  # fmt: skip
def test_siblings_without_rows_keep_their_group_open(what: str, market: dict[str, Any], is_open: bool, lake: Lake) -> None:  # fmt: skip
    put(lake, [feature("a", event_id="1", group_id="event:1")])
    publish(lake, "resolutions", [resolution("pm:a", END, 1)])
    publish(
        lake, "markets", [{**market_row(2), "event_id": "1", "neg_risk_id": None, "game_id": None, **market}]
    )
    assert {row["group_over_at"] is None for row in build(lake).rows.to_pylist()} == {is_open}


def test_planned_rows_are_those_of_the_planned_life(lake: Lake) -> None:
    import duckdb

    lives = {48.0: 12, 0.1: 4, 0.6: 2 + 4, 1000.0: 19, 0.0: 1, -3.0: 1, None: 19}
    for life, wanted in lives.items():
        found = duckdb.execute(f"select {grid.planned_rows('$life::double')}", {"life": life}).fetchone()
        assert found == (wanted,), life


def test_what_is_published_is_read_back(lake: Lake) -> None:
    put(lake, [feature("a")])
    publish(lake, "resolutions", [resolution("pm:a", END, 1)])
    built = build(lake)
    assert training_set.publish(lake, built).path == "training_set/part-0.parquet"
    assert training_set.read(lake).equals(built.rows)


def test_an_empty_lake_gives_an_empty_training_set(lake: Lake) -> None:
    built = build(lake)
    assert (built.rows.num_rows, built.census) == (0, {"kept": 0})


def test_a_price_at_the_start_of_a_game_does_not_stand_beside_a_grid_of_the_same_market(lake: Lake) -> None:
    """It would weigh as much as all the rows of the grid together."""
    put(lake, [feature("a", 12.0), feature("a", 6.0)])
    put(lake, [feature("a", 3.0, source="sports_closing")], part="history")
    publish(lake, "resolutions", [resolution("pm:a", END, 1)])
    built = build(lake)
    assert built.census["duplicate"] == 1
    assert set(built.rows.column("source").to_pylist()) == {"recorded"}


def test_a_market_recorded_and_imported_under_another_id_counts_once(lake: Lake) -> None:
    """The ids differ where a dataset recorded a token that may not be the first: two markets of one event otherwise."""
    put(lake, [feature("a")])
    put(lake, [{**feature("a", 6.0, source="mlb"), "market_id": "mlb:77"}], part="history")
    publish(lake, "history_markets", [closed_market("mlb:77", END, source="mlb", condition_id="a")])
    publish(lake, "resolutions", [resolution("pm:a", END, 1), resolution("mlb:77", END, 0)])
    built = build(lake)
    assert (built.census["duplicate"], built.rows.column("market_id").to_pylist()) == (1, ["pm:a"])
