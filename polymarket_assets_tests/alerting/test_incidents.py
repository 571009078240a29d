"""Each change of state is told once, blips never, and every alert has its recovery."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polymarket_assets.alerting import incidents
from polymarket_assets.alerting.incidents import COOLDOWN, Change, Incident
from polymarket_assets.watching.asking import Looked
from polymarket_assets.watching.findings import Severity
from polymarket_assets_tests.alerting.looks import MINUTE, at, finding, looked

KEY = "tier_silent:t4"


def told(looks: list[Looked]) -> list[tuple[int, Change, Incident]]:
    """What is told of looks a minute apart: at which, and what."""
    held: dict[str, Incident] = {}
    found = []
    for minute, one in enumerate(looks):
        held, changes = incidents.step(held, [one], at(minute))
        found += [(minute, change, incident) for change, incident in changes]
    return found


def pattern(said: str) -> list[Looked]:
    """`x` is found, `.` is not, `?` could not be asked."""
    unknown = looked(finding("unknown:tiers", severity=Severity.WARNING), unknown="away", confirm=99)
    return [{"x": looked(finding(minutes=n)), ".": looked(), "?": unknown}[mark] for n, mark in enumerate(said)]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("xx...xx...xx...", []),
        ("xx.xx.xx.xx..", [(3, Change.OPENED), (12, Change.RECOVERED)]),
        ("xxx", [(2, Change.OPENED)]),
        ("xxxxxxxx", [(2, Change.OPENED)]),
        ("xxx.xxx", [(2, Change.OPENED)]),
        ("xxx..", [(2, Change.OPENED), (4, Change.RECOVERED)]),
        ("xx?x..", [(3, Change.OPENED), (5, Change.RECOVERED)]),
        ("xxx????????..", [(2, Change.OPENED), (12, Change.RECOVERED)]),
        ("xxx..xxxx.", [(2, Change.OPENED), (4, Change.RECOVERED)]),
        ("xxx.." + "x" * 20, [(2, Change.OPENED), (4, Change.RECOVERED), (19, Change.OPENED)]),
    ],
    ids=["blips", "more often than not", "third look", "once", "a gap", "recovery", "not known between", "not known is no recovery", "again within the pause", "again after it"],
)  # fmt: skip
def test_what_is_told_of_looks(said: str, wanted: list[tuple[int, Change]]) -> None:
    assert [(minute, change) for minute, change, _ in told(pattern(said))] == wanted


def test_a_recovery_says_how_long_it_lasted() -> None:
    """From when it began, which the finding knows, to the first look at which it was gone."""
    ((_, _, opened), (_, _, over)) = told([*[looked(finding(minutes=-10))] * 5, looked(), looked()])
    assert opened.since == at(-10)
    assert over.lasted == 15 * MINUTE


def test_what_becomes_worse_is_told_once_more_and_what_becomes_better_is_not() -> None:
    marks = [Severity.WARNING] * 3 + [Severity.CRITICAL] * 2 + [Severity.WARNING] * 3 + [Severity.CRITICAL]
    changes = told([looked(finding(severity=mark)) for mark in marks])
    assert [(minute, change) for minute, change, _ in changes] == [(2, Change.OPENED), (3, Change.WORSE)]


def test_what_nobody_ended_is_told_again_after_hours() -> None:
    changes = [(minute, change) for minute, change, _ in told(pattern("x" * 800))]
    assert changes == [(2, Change.OPENED), (362, Change.REMINDED), (722, Change.REMINDED)]


def test_what_may_have_been_lost_is_told_again_soon_while_it_is_open() -> None:
    held: dict[str, Incident] = {}
    for minute in range(3):
        held, _ = incidents.step(held, [looked(finding())], at(minute))
    held = incidents.lost(held, [KEY], at(3))
    again = [minute for minute in range(4, 60) if (after := incidents.step(held, [looked(finding())], at(minute)))[1] and (held := after[0])]  # fmt: skip
    assert again == [13]


def test_what_is_too_old_to_be_looked_for_goes_without_a_recovery() -> None:
    failed = replace(finding("run_failed:learning"), until=at(6))
    assert [change for _, change, _ in told([looked(failed, confirm=1)] * 6 + [looked()] * 6)] == [Change.OPENED]  # fmt: skip
    assert [change for _, change, _ in told([looked(failed, confirm=1)] * 2 + [looked()] * 6)] == [Change.OPENED, Change.RECOVERED]  # fmt: skip


def test_one_source_says_nothing_of_the_incidents_of_another() -> None:
    held, _ = incidents.step({}, [looked(finding())], at(0))
    after, _ = incidents.step(held, [looked(source="runs")], at(1))
    assert after[KEY].seen == 1


@pytest.mark.parametrize(
    "pattern_of_an_hour",
    ["xxxxx....." * 6, ("x" * 20 + "." * 20) * 3, "x" * 20 + "." * 40],
    ids=["five minutes", "twenty minutes", "a third of each hour"],
)
def test_what_comes_and_goes_all_day_is_told_a_few_times(pattern_of_an_hour: str) -> None:
    marks = (pattern_of_an_hour * 24)[: 24 * 60]
    opened = [(minute, incident.times) for minute, change, incident in told(pattern(marks)) if change is Change.OPENED]  # fmt: skip
    assert 3 < len(opened) < 10
    assert [times for _, times in opened] == list(range(1, len(opened) + 1))


def test_a_recovery_that_lies_ahead_is_of_a_clock_that_was() -> None:
    held, _ = incidents.step({}, [looked(finding(), confirm=1)], at(1_000))
    for minute in (1_001, 1_002):
        held, _ = incidents.step(held, [looked()], at(minute))
    _, changes = incidents.step(held, [looked(finding(), confirm=1)], at(0))
    assert [change for change, _ in changes] == [Change.OPENED]


def test_what_was_gone_for_a_day_comes_back_for_the_first_time() -> None:
    """With the shortest pause again."""
    changes = told(pattern("xxx" + "." * (24 * 60 + 10) + "xxx.."))
    assert [incident.times for _, change, incident in changes if change is Change.OPENED] == [1, 1]


MARKS = st.lists(st.sampled_from("xx.?"), max_size=120).map("".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MARKS, st.integers(1, 4))
def test_there_are_never_two_alerts_without_a_recovery_between(said: str, confirm: int) -> None:
    looks = [Looked(one.source, one.findings, unknown=one.unknown, confirm=confirm) for one in pattern(said)]
    changes = [(minute, change) for minute, change, incident in told(looks) if incident.key == KEY]
    turns = [change for _, change in changes if change in (Change.OPENED, Change.RECOVERED)]
    assert turns[::2] == [Change.OPENED] * len(turns[::2])
    assert turns[1::2] == [Change.RECOVERED] * len(turns[1::2])
    over = [minute for minute, change in changes if change is Change.RECOVERED]
    begun = [minute for minute, change in changes if change is Change.OPENED]
    assert all((again - end) * MINUTE >= COOLDOWN for end, again in zip(over, begun[1:], strict=False))


@given(st.lists(st.integers(1, 2), max_size=20))
def test_blips_shorter_than_the_rule_are_never_told(lengths: list[int]) -> None:
    assert told(pattern("...".join("x" * length for length in lengths))) == []


@given(st.lists(st.tuples(st.integers(3, 9), st.integers(245, 260)), min_size=1, max_size=4))
def test_each_incident_that_lasts_has_one_alert_and_one_recovery(spells: list[tuple[int, int]]) -> None:
    """Apart from one another by more than the longest pause."""
    changes = told(pattern("".join("x" * wrong + "." * fine for wrong, fine in spells)))
    assert [change for _, change, _ in changes] == [Change.OPENED, Change.RECOVERED] * len(spells)
    assert all(later[0] > earlier[0] for earlier, later in pairwise(changes))
