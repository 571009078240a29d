"""Groups: markets whose outcomes depend on each other, as connected components over the keys they share (ML.md 2.4).

A row of features names one key of its market (`game:…`, else `neg_risk:…`, `event:…`, `market:…`) from its own ids only;
`training_set` joins the components over all rows, and what asks the same question of one day: other thresholds, or the same
market under the id of another source. A component is named after the smallest of its keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
# Alternatives, the first that fits: times of day tell one question from the next, dates and thresholds do not.
_TOLD_APART = r"\d{1,2}(?::\d{2})?\s?[ap]m\b|\d{1,2}:\d{2}\b"
_DATE = rf"{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s*\d{{4}}\b)?|\d{{4}}-\d{{2}}-\d{{2}}\b|\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?\b"
_NUMBER = r"\d[\d,]*(?:\.\d+)?\s?(?:[kmb]|bn|million|billion|trillion|°?[cf])?(?!\w)"
_PARTS = re.compile(rf"\b(?:(?P<told>{_TOLD_APART})|{_DATE}|{_NUMBER})|[^\w\s:]")
_THRESHOLD = frozenset(["above", "and", "at", "below", "between", "exactly", "fewer", "greater", "higher", "least", "less", "lower", "more", "most", "or", "over", "than", "under"])  # fmt: skip
# Fewer words are no question.
_LEAST_WORDS = 2


def same_question(question: str | None, ends: date | None) -> str | None:
    """The key that questions of one day share which differ in thresholds and dates only; none: it does not say enough."""
    if question is None or ends is None:
        return None
    left = _PARTS.sub(lambda part: part["told"].replace(" ", "") if part["told"] else " ", question.lower())
    words = [word for word in left.split() if word not in _THRESHOLD]
    return f"question:{' '.join(words)}:{ends:%Y-%m-%d}" if len(words) >= _LEAST_WORDS else None


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
