"""Groups: markets whose outcomes depend on each other, as connected components over the keys they share (ML.md 2.4).

A row of features names one key of its market (`game:…`, else `neg_risk:…`, `event:…`, `market:…`) from its own ids only;
`training_set` joins the components over all rows. A component is named after the smallest of its keys.
"""

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
