"""Group M of the catalogue, and the clock: what the market is and when. One SQL expression per feature.

Evidence of a row: `listed_category is_neg_risk outcomes question tick_usd taker_rate liquidity_usd volume_usd
first_known_at starts_at scheduled_end close_moves as_of`; null where unknown.
"""

from __future__ import annotations

# Fixed, so that a code means the same in every training set; whatever is not here is `other`.
CATEGORIES: tuple[str, ...] = (
    "sports", "crypto", "politics", "weather", "economy", "finance", "technology", "culture", "world", "other",
)  # fmt: skip

# What sources call the same thing.
SYNONYMS: dict[str, str] = {
    "climate": "weather", "macro": "economy", "economics": "economy", "business": "finance", "tech": "technology",
    "science": "technology", "ai": "technology", "entertainment": "culture", "pop-culture": "culture", "music": "culture",
    "movies": "culture", "geopolitics": "world", "elections": "politics", "us-politics": "politics",
    "baseball": "sports", "basketball": "sports", "football": "sports", "american football": "sports", "soccer": "sports",
    "tennis": "sports", "hockey": "sports", "cricket": "sports", "esports": "sports", "mma": "sports", "ufc": "sports",
}  # fmt: skip

# "by June 30", "before 2027", "by the end of March": something that happens, or does not, until a date.
BY_DEADLINE = (
    r"\b(by|before|until)\s+(the\s+)?(end\s+of\s+|eo[ymdw]\b|midnight|noon|tomorrow|today|next\s+|"
    r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|(mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"q[1-4]\b|20\d\d|\d{1,2}(st|nd|rd|th|/|:|\s*(am|pm|utc|et)\b))"
)

_HOURS = "(epoch_us({end}) - epoch_us({start})) / 3.6e9"
_AGE_H = _HOURS.format(start="first_known_at", end="as_of")
_LEFT_H = _HOURS.format(start="as_of", end="scheduled_end")
_UNTIL_START_H = _HOURS.format(start="as_of", end="starts_at")
_HOUR_ANGLE = "2 * pi() * (epoch_us(as_of) % 86400000000) / 86400e6"


def _log1p(amount: str) -> str:
    """Of what is never negative but for rounding; `greatest` alone would make 0 of null."""
    return f"case when {amount} is not null then ln(1 + greatest({amount}, 0)) end"


def _signed_log(hours: str) -> str:
    return f"sign({hours}) * ln(1 + abs({hours}))"


def _category() -> str:
    named = "lower(trim(listed_category))"
    synonyms = " ".join(f"when '{name}' then '{category}'" for name, category in SYNONYMS.items())
    known = ", ".join(f"'{category}'" for category in CATEGORIES)
    return f"case {named} {synonyms} else case when {named} in ({known}) then {named} else 'other' end end"


FEATURES: dict[str, str] = {
    "category": _category(),
    "neg_risk": "is_neg_risk",
    "yesno_labels": "list_transform(outcomes, lambda name: lower(name)) = ['yes', 'no']",
    "by_deadline": f"coalesce(regexp_matches(lower(question), '{BY_DEADLINE}'), false)",
    "tick_c": "100 * tick_usd",
    "fee_rate": "taker_rate",
    "log_liq": _log1p("liquidity_usd"),
    "log_cumvol": _log1p("volume_usd"),
    "age_h": _log1p(_AGE_H),
    "hours_to_end": _signed_log(_LEFT_H),
    "life_frac": f"case when {_AGE_H} + {_LEFT_H} > 0 then {_AGE_H} / ({_AGE_H} + {_LEFT_H}) end",
    "hours_to_start": _signed_log(_UNTIL_START_H),
    "end_moves": "close_moves::double",
    "tod_sin": f"sin({_HOUR_ANGLE})",
    "tod_cos": f"cos({_HOUR_ANGLE})",
    "dow": "(isodow(as_of) - 1)::tinyint",
}
