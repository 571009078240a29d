"""Connected components over shared keys."""

from __future__ import annotations

from collections.abc import Iterable


def joined(markets: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """The group of each market, given its keys: markets that share a key, or a chain of them, share a group."""
    parent: dict[str, str] = {}
    first_key: dict[str, str] = {}
    for market_id, keys in markets:
        for key in keys:
            first = first_key.setdefault(market_id, key)
            _join(parent, first, key)
    return {market_id: _root(parent, key) for market_id, key in first_key.items()}


def _join(parent: dict[str, str], one: str, other: str) -> None:
    """Put two components together under the smaller name."""
    low, high = sorted((_root(parent, one), _root(parent, other)))
    parent[high] = low


def _root(parent: dict[str, str], key: str) -> str:
    while (above := parent.setdefault(key, key)) != key:
        parent[key] = parent[above]
        key = above
    return key
