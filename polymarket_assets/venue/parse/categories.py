"""The category of a market, from its tags, else from its fee type. A fixed list of words; data, not branches."""

from __future__ import annotations

from collections.abc import Iterable

# Category -> tag slugs that mean it. The first category of which a market bears a tag is its own: the narrow
# ones stand before the wide ones, since a market on a president's speech bears `politics` too.
TAGS: dict[str, frozenset[str]] = {
    "mentions": frozenset({"mentions", "mention-markets", "mention"}),
    "weather": frozenset(
        {"weather", "temperature", "daily-temperature", "highest-temperature", "hurricane", "hurricanes", "climate"}
    ),
    "sports": frozenset(
        {"sports", "games", "esports", "soccer", "football", "nfl", "cfb", "nba", "ncaa-basketball", "wnba", "mlb", "nhl"}
        | {"tennis", "atp", "wta", "golf", "mma", "ufc", "boxing", "cricket", "f1", "formula-1", "chess", "olympics"}
        | {"epl", "ucl", "champions-league", "la-liga", "serie-a", "bundesliga", "mls", "fifa-world-cup"}
        | {"counter-strike-2", "cs2", "dota-2", "league-of-legends", "valorant"}
    ),
    "crypto": frozenset(
        {"crypto", "crypto-prices", "bitcoin", "ethereum", "solana", "xrp", "dogecoin", "airdrops", "stablecoins", "defi"}
    ),
    "economics": frozenset(
        {"economy", "economics", "economic-policy", "fed", "fed-rates", "fomc", "inflation", "cpi", "jobs-report", "gdp"}
        | {"macro-indicators", "interest-rates", "global-rates", "unemployment", "recession"}
    ),
    "finance": frozenset(
        {"finance", "business", "stocks", "equities", "indices", "earnings", "ipos", "ipo", "commodities", "gold", "oil"}
    ),
    "tech": frozenset(
        {"tech", "technology", "ai", "artificial-intelligence", "openai", "big-tech", "science", "space", "spacex"}
    ),
    "culture": frozenset(
        {"culture", "pop-culture", "entertainment", "movies", "music", "awards", "oscars", "grammys", "celebrities", "tv"}
        | {"youtube", "box-office", "video-games"}
    ),
    "geopolitics": frozenset(
        {"geopolitics", "middle-east", "ukraine", "russia", "israel", "iran", "gaza", "china", "nato", "foreign-policy"}
        | {"foreign-affairs", "venezuela", "war"}
    ),
    "politics": frozenset(
        {"politics", "elections", "global-elections", "us-elections", "us-election", "us-presidential-election"}
        | {"us-current-affairs", "us-politics", "trump", "trump-presidency", "congress", "primaries", "midterms", "world", "courts"}
    ),
}  # fmt: skip
OTHER = "other"

# The first word of a fee type -> category (PROTOCOL section 10).
FEE_TYPES: dict[str, str] = {**{name: name for name in TAGS}, "general": OTHER, "zero": "geopolitics"}


def category(tags: Iterable[str], fee_type: str | None, legacy: str | None = None) -> str | None:
    """One of `TAGS` or `other`; None where the row gives nothing to go by."""
    slugs = {tag.lower() for tag in tags}
    named = _of(slugs) or FEE_TYPES.get((fee_type or "").split("_")[0])
    if named or slugs:
        return named or OTHER
    return _of({legacy.lower().replace(" ", "-")}) if legacy else None


def _of(slugs: set[str]) -> str | None:
    return next((name for name, meant in TAGS.items() if slugs & meant), None)
