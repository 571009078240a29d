"""What running costs with the present settings, at the most: every tier full, every socket full.

Sizes are uncompressed and measured once on recorded payloads (sources beside each); what running does cost
stands in `sweeps.bytes` and in the streamer's status.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from polymarket_assets.settings import Settings
from polymarket_assets.tiers import TIERS
from polymarket_assets.venue.clob import TOKENS_A_REQUEST
from polymarket_assets.venue.gamma import PAGE_ROWS
from polymarket_assets.venue.limits import PUBLISHED, WINDOW_S

# 0.6 MB per 100 markets listed (PROTOCOL 2.3).
LISTED_BYTES = 6_000
# 36 bytes a level; recorded books had 60 levels in the median (PROTOCOL, `books_post_fed_june_2026`: 4.3 kB of 120).
BOOK_BYTES = 2_200
# The whole exchange in August 2026: 60 to 75 Mbit/s for 312,000 tokens (PROTOCOL 8.4). Five-minute crypto markets are a thousand times livelier.
STREAM_BYTES_A_TOKEN_S = 27
# All that is open, on a usual day (PROTOCOL 2.3); walked once a day by `census_day`.
OPEN_MARKETS = 80_000
# `discovery` runs every ten minutes and lists twice: by volume, and what ends within a day.
DISCOVERY_S, LISTINGS = 600, 2
DAY_S = 86_400


@dataclass(frozen=True)
class Cost:
    """One part of running: its requests against what the settings allow, and its bytes."""

    part: str
    requests_a_s: float
    allowed_a_s: float | None
    gb_a_day: float


def estimate(settings: Settings) -> list[Cost]:
    """The parts of running, in the order of the pipeline."""
    return [_listing(settings), _census(settings), *_tiers(settings), _stream(settings)]


def _listing(settings: Settings) -> Cost:
    markets = sum(settings.max_markets(tier.name) for tier in TIERS)
    a_s = LISTINGS / DISCOVERY_S
    allowed = _allowed("gamma /markets", settings)
    return Cost("catalogue", ceil(markets / PAGE_ROWS) * a_s, allowed, _gb(markets * LISTED_BYTES * a_s))


def _census(settings: Settings) -> Cost:
    requests_a_s = ceil(OPEN_MARKETS / PAGE_ROWS) / DAY_S
    return Cost(f"census of {OPEN_MARKETS:,} markets", requests_a_s, _allowed("gamma /markets", settings), _gb(OPEN_MARKETS * LISTED_BYTES / DAY_S))  # fmt: skip


def _tiers(settings: Settings) -> list[Cost]:
    costs = []
    for tier in TIERS:
        markets, every_s = settings.max_markets(tier.name), tier.every.total_seconds()
        requests = ceil(markets / TOKENS_A_REQUEST) / every_s
        gb = _gb(markets * BOOK_BYTES / every_s)
        costs.append(Cost(f"books of {tier.name.upper()}", requests, _allowed("clob /books", settings), gb))
    return costs


def _stream(settings: Settings) -> Cost:
    """Both tokens of every market of the streamed tiers, as far as the sockets hold them."""
    wanted = 2 * sum(settings.max_markets(tier) for tier in settings.stream_tiers)
    room = settings.stream_max_connections * settings.stream_max_tokens_per_connection
    tokens = min(wanted, room)
    return Cost(f"stream of {tokens:,} tokens", 0.0, None, _gb(tokens * STREAM_BYTES_A_TOKEN_S))


def _allowed(group: str, settings: Settings) -> float:
    return PUBLISHED[group] * settings.rate_share / WINDOW_S


def _gb(bytes_a_s: float) -> float:
    return bytes_a_s * DAY_S / 1e9
