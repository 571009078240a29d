"""Which questions are one: the same words, but for thresholds and dates, about one day (ML.md 2.4)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

_MONTHS = "jan(?:uary)? feb(?:ruary)? mar(?:ch)? apr(?:il)? may june? july? aug(?:ust)? sept?(?:ember)? oct(?:ober)? nov(?:ember)? dec(?:ember)?"
_MONTH = rf"(?:{'|'.join(_MONTHS.split())})\b\.?"
# Alternatives, the first that fits: times of day tell one question from the next, dates and thresholds do not; what a hyphen joins to a
# word is part of a name, as the 10-year yield is.
_TOLD_APART = r"\d{1,2}(?::\d{2})?\s?[ap]\.?m\b\.?|\d{1,2}:\d{2}\b|\d+-[a-z]\w*|[a-z]+-\d+\b"
_DATE = rf"{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s*\d{{4}}\b)?|\d{{4}}-\d{{2}}-\d{{2}}\b|\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?\b"
_NUMBER = r"\d[\d,]*(?:\.\d+)?\s?(?:[kmbt]|bn|bps|million|billion|trillion|°?[cf])?(?!\w)"
_PARTS = re.compile(rf"\b(?:(?P<told>{_TOLD_APART})|{_DATE}|{_NUMBER})|[^\w\s:]")
_THRESHOLD = frozenset(["above", "and", "at", "below", "between", "exactly", "fewer", "greater", "higher", "least", "less", "lower", "more", "most", "or", "over", "than", "under"])  # fmt: skip
# Somebody or something is named, with a capital, or as the 76ers are: "Will the match be a draw?" is asked of every match.
_NAMELESS = [
    "will",
    "who",
    "what",
    "which",
    "when",
    "where",
    "how",
    "is",
    "are",
    "does",
    "do",
    "did",
    "can",
    "there",
    "the",
    "am",
    "pm",
    "et",
    "utc",
    "gmt",
]
_NAME = re.compile(rf"(?:^|\s)(?!(?i:{_MONTH}|(?:{'|'.join(_NAMELESS)})\b))(?:[A-ZÀ-Þ]\w|\d+[a-z]{{3}})")
# Games of an evening in America end after midnight UTC, and belong to the day before.
_NIGHT = timedelta(hours=10)


def same_question(question: str | None, ends: datetime | None) -> str | None:
    """The key that questions of one day share which differ in thresholds and dates only; none: it does not say about what."""
    if question is None or ends is None or not _NAME.search(question):
        return None
    left = _PARTS.sub(
        lambda part: re.sub(r"[\s.]", "", part["told"]) if part["told"] else " ", question.lower()
    )
    words = [word for word in left.split() if word not in _THRESHOLD]
    return f"question:{' '.join(words)}:{_day(ends):%Y-%m-%d}"


def _day(ends: datetime) -> date:
    return (ends - _NIGHT).date()
