"""Groups are the connected components of shared ids, whatever the order they are met in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.learning import groups

markets = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.sets(st.text("xyz", min_size=1, max_size=2), min_size=1, max_size=3),
    max_size=12,
)


def test_a_chain_of_shared_ids_is_one_group_named_after_its_smallest_key() -> None:
    found = groups.joined(
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
    found = groups.joined(given.items())
    reached = {name: _reached(name, given) for name in given}
    assert all((found[a] == found[b]) is (b in reached[a]) for a in given for b in given)
    assert found == groups.joined(reversed(list(given.items())))


def _reached(name: str, given: dict[str, set[str]]) -> set[str]:
    """By walking: everything that shares a key with something reached."""
    reached: set[str] = set()
    wave = {name}
    while wave:
        reached |= wave
        keys = set().union(*(given[one] for one in reached))
        wave = {one for one, its in given.items() if its & keys} - reached
    return reached
