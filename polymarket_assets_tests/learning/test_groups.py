"""Groups are the connected components of shared ids, whatever the order they are met in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.learning.components import joined
from polymarket_assets.learning.questions import same_question

markets = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.sets(st.text("xyz", min_size=1, max_size=2), min_size=1, max_size=3),
    max_size=12,
)


def test_a_chain_of_shared_ids_is_one_group_named_after_its_smallest_key() -> None:
    found = joined(
        [
            ("a", ["event:7"]),
            ("b", ["event:9", "game:g"]),
            ("c", ["game:g", "event:7"]),
            ("d", ["market:d"]),
        ]
    )
    assert found == {"a": "event:7", "b": "event:7", "c": "event:7", "d": "market:d"}


@given(markets)
def test_markets_share_a_group_exactly_when_a_chain_of_keys_joins_them(given: dict[str, set[str]]) -> None:
    found = joined(given.items())
    reached = {name: _reached(name, given) for name in given}
    assert all((found[a] == found[b]) is (b in reached[a]) for a in given for b in given)
    assert found == joined(reversed(list(given.items())))


def _reached(name: str, given: dict[str, set[str]]) -> set[str]:
    """By walking: everything that shares a key with something reached."""
    reached: set[str] = set()
    wave = {name}
    while wave:
        reached |= wave
        keys = set().union(*(given[one] for one in reached))
        wave = {one for one, its in given.items() if its & keys} - reached
    return reached


ENDS = datetime(2026, 6, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("questions", "are_one"),
    [
        (("Bitcoin above $100,000 on June 3?", "Bitcoin above 105k on Jun. 3rd, 2026?"), True),
        (("Will the highest temperature in Miami be between 64-65°F on June 3?", "Will the highest temperature in Miami be 66°F or below on 2026-06-03?"), True),
        (("Celtics vs. Heat", "Celtics vs Heat"), True),
        (("Will 4 Fed rate cuts happen in 2025?", "Will 8+ Fed rate cuts happen in 2025?"), True),
        (("Bitcoin above $100,000 on June 3?", "Ethereum above $5,000 on June 3?"), False),
        (("Bitcoin Up or Down - June 3, 3:00PM-3:05PM ET", "Bitcoin Up or Down - June 3, 3:05PM-3:10PM ET"), False),
        (("Bitcoin Up or Down - June 3, 3PM ET", "Bitcoin Up or Down - June 3, 3 PM ET"), True),
        (("BTC up or down, 2026-06-03 18:45 UTC", "BTC up or down, 2026-06-03 19:00 UTC"), False),
        (("Bitcoin Up or Down - June 3, 3 p.m. ET", "Bitcoin Up or Down - June 3, 4 p.m. ET"), False),
        (("Will Mariners score 5 or more runs?", "Will Marlins score 5 or more runs?"), False),
        (("Will the 10-year Treasury yield be above 4%?", "Will the 2-year Treasury yield be above 4%?"), False),
        (("NY-14 Democratic primary winner?", "NY-16 Democratic primary winner?"), False),
        (("Apple above $4.5T on June 3?", "Apple above $4T on June 3?"), True),
        (("Will the Fed cut by 25bps?", "Will the Fed cut by 50 bps?"), True),
        (("Will the 76ers win on 2026-06-03?", "Will the 49ers win on 2026-06-03?"), False),
    ],
)  # fmt: skip
def test_questions_that_differ_in_thresholds_and_dates_only_are_one(questions: tuple[str, str], are_one: bool) -> None:  # fmt: skip
    one, other = (same_question(question, ENDS) for question in questions)
    assert one is not None
    assert (one == other) is are_one
    assert one != same_question(questions[0], ENDS + timedelta(days=1))


@pytest.mark.parametrize("question", [None, "", "2025?", "$100k", "Will there be 45 or more combined points scored?", "Will the match be a draw?", "Who wins in May?"])  # fmt: skip
def test_what_names_nothing_joins_nothing(question: str | None) -> None:
    """It is asked of every match."""
    assert same_question(question, ENDS) is None
    assert same_question("Will it rain?", None) is None


def test_an_evening_in_america_is_of_the_day_before() -> None:
    """Two games of a series: the one that ends after midnight UTC was played the day before."""
    night = datetime(2025, 9, 10, 2, 5, tzinfo=UTC)
    keys = [same_question("Red Sox vs. Athletics", night + timedelta(hours=h)) for h in (-3, 0, 17)]
    assert keys[0] == keys[1] != keys[2]
