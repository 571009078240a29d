"""Groups: markets whose outcomes depend on each other, as connected components over the ids they share (ML.md 2.4).

A group is named after the smallest of its keys, `event:…`, `game:…`, `market:…` or `neg_risk:…`, so that its
name depends on its members only. A partition of features names what it can see; `training_set` joins the
components of all rows once more, so that the same market never stands in two groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def of_markets(markets: Iterable[tuple[str, Mapping[str, str | None]]]) -> dict[str, str]:
    """The group of each market, given the ids it carries by kind (`event_id`, `neg_risk_id`, `game_id`)."""
    return joined((market_id, _keys(market_id, ids)) for market_id, ids in markets)


def joined(markets: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """The group of each market, given its keys: markets that share a key, or a chain of them, share a group."""
    parent: dict[str, str] = {}
    first_key: dict[str, str] = {}
    for market_id, keys in markets:
        for key in keys:
            first = first_key.setdefault(market_id, key)
            _join(parent, first, key)
    return {market_id: _root(parent, key) for market_id, key in first_key.items()}


def _keys(market_id: str, ids: Mapping[str, str | None]) -> list[str]:
    found = [f"{kind.removesuffix('_id')}:{value}" for kind, value in ids.items() if value]
    return found or [f"market:{market_id}"]


def _join(parent: dict[str, str], one: str, other: str) -> None:
    """Put two components together under the smaller name."""
    low, high = sorted((_root(parent, one), _root(parent, other)))
    parent[high] = low


def _root(parent: dict[str, str], key: str) -> str:
    while (above := parent.setdefault(key, key)) != key:
        parent[key] = parent[above]
        key = above
    return key
