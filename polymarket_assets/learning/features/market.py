"""Group market: what it is, and when, as its metadata stood then."""

from __future__ import annotations

from polymarket_assets.learning.features.declaring import Feature, Kind

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


FEATURES: tuple[Feature, ...] = (
    Feature(
        "category", f"{', '.join(CATEGORIES)}; synonyms in `market.py`", "category", "M", "–", "never", _category(), leak="tags are edited later: as listed then",
        idea="slopes differ [le2026]", kind=Kind.WORD, is_required=True,
    ),
    Feature("neg_risk", "member of a set of which exactly one resolves YES", "flag", "M", "–", "never", "is_neg_risk", idea="bias of opposite sign [allium]", kind=Kind.FLAG, is_required=True),
    Feature(
        "yesno_labels", "the outcomes are Yes and No", "flag", "M", "–", "never", "list_transform(outcomes, lambda name: lower(name)) = ['yes', 'no']",
        idea="optimism only where YES can be bought [becker]", kind=Kind.FLAG, is_required=True,
    ),
    Feature(
        "updown_labels", "the outcomes are Up and Down: where a price will be, of which the spot price tells all there is to know", "flag", "M", "–",
        "never, but in rows computed before it was a feature", "list_transform(outcomes, lambda name: lower(name)) = ['up', 'down']", idea="judged apart", kind=Kind.FLAG,
    ),
    Feature(
        "by_deadline", 'the question asks whether something happens by a date ("by June 30", "before 2027")', "flag", "M", "–", "never",
        f"coalesce(regexp_matches(lower(question), '{BY_DEADLINE}'), false)", idea="ends early only with YES", kind=Kind.FLAG, is_required=True,
    ),
    Feature("tick_c", "tick size then", "cents", "S M", "now", "history, whose last tick tells where the price went", "100 * tick_usd", leak="changes near 0 and 1: as stored then"),
    Feature("fee_rate", "rate of the taker fee then in force; no schedule: 0", "rate", "S M", "now", "history", "taker_rate", leak="as stored then", idea="regime"),
    Feature("log_liq", "log1p of liquidity stored with the snapshot", "log $", "S", "now", "not listed; history", _log1p("liquidity_usd"), leak="never of a closed market (L2)"),
    Feature("log_cumvol", "log1p of volume stored with the snapshot", "log $", "S", "life", "not listed; history", _log1p("volume_usd"), leak="never the final volume (L2)"),
    Feature("age_h", "log1p of hours since listing, or since first seen if that is earlier", "log h", "M", "life", "listing not known", _log1p(_AGE_H), idea="early inefficiency [reactiv 3.3]"),
    Feature(
        "hours_to_end", "effective close as then expected − `as_of`, sign × log1p of hours", "log h", "M", "now", "never", _signed_log(_LEFT_H),
        leak="never the actual close (L3)", idea="horizon [le2026]",
    ),
    Feature(
        "life_frac", "age / (age + hours to the end); above 1: overdue", "ratio", "M", "now", "age not known; listed after its end",
        f"case when {_AGE_H} + {_LEFT_H} > 0 then {_AGE_H} / ({_AGE_H} + {_LEFT_H}) end", leak="never the actual close (L3)",
    ),
    Feature("hours_to_start", "start of the game or measured window − `as_of`, sign × log1p of hours", "log h", "M", "now", "neither exists", _signed_log(_UNTIL_START_H), idea="in play or not"),
    Feature("end_moves", "changes of the effective close seen so far", "count", "M", "30 days", "history", "close_moves::double", leak="needs versions", idea="postponement"),
    Feature("tod_sin", "sine of the UTC time of day", "–", "M", "now", "never", f"sin({_HOUR_ANGLE})", idea="takers lose by the hour [reactiv 3.1]", is_required=True),
    Feature("tod_cos", "cosine of the UTC time of day", "–", "M", "now", "never", f"cos({_HOUR_ANGLE})", is_required=True),
    Feature("dow", "day of the week, Monday 0", "–", "M", "now", "never", "(isodow(as_of) - 1)::tinyint", idea="sports have weeks", kind=Kind.SMALL, is_required=True),
)  # fmt: skip
