"""The endpoints of `console.models`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Path, Query

from console.endpoints import Here
from console.kept import NotYet
from console.models import paper, review, spoken, versions, whales
from console.models.paper import Account, Point, Position
from console.models.review import Review
from console.models.spoken import Spoken
from console.models.versions import Version
from console.models.whales import Whale
from console.parts import failed
from console.place import Place
from polymarket_assets.venue.errors import PolymarketError

router = APIRouter(prefix="/api", tags=["models"], responses={503: {"description": "its source does not answer now; ask again"}})  # fmt: skip

Limit = Annotated[int, Query(ge=1, le=500, description="so many at the most")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="so many are left out first")]
T = TypeVar("T")

# Names of versions, models and markets are shorter.
_NAME = 200


@dataclass(frozen=True)
class Models:
    """Registered versions, the newest first, what the last review decided, and what models said before the outcome was known.

    What could not be had is null, and `unknown` says why.
    """

    mlflow: str | None
    versions: tuple[Version, ...] | None
    review: Review | None
    live: tuple[Spoken, ...] | None
    unknown: dict[str, str]


@dataclass(frozen=True)
class OneModel:
    """A version, and what it said before the outcome was known; null: it said nothing of late, or that is not known now."""

    version: Version
    live: Spoken | None


@dataclass(frozen=True)
class Accounts:
    """Portfolios as they stand, and the curve of each: cash and open positions at cost."""

    at: datetime
    accounts: tuple[Account, ...]
    curve: tuple[Point, ...]


@dataclass(frozen=True)
class Positions:
    """A page of positions, the newest first; of settled ones the newest two thousand are known here, the lake has all."""

    at: datetime
    total: int
    positions: tuple[Position, ...]


@dataclass(frozen=True)
class Orders:
    """A page of large orders of the last seven days, the newest first."""

    at: datetime
    total: int
    orders: list[Whale]


@router.get("/models")
def models(place: Here) -> Models:
    """Champion, challengers and every other version with its skill against the price, and what the last review decided."""
    asked = _Asked(place)
    registered = asked.of("versions", lambda: place.seen(versions.registered, every_s=versions.EVERY_S).value)
    reviewed = asked.of(
        "review", lambda: place.seen(review.reviewed, every_s=review.EVERY_S).value, is_awaited=False
    )
    live = asked.of("live", lambda: place.seen(spoken.spoken, every_s=spoken.EVERY_S).value)
    if asked.first is not None and registered is None and live is None:
        raise asked.first
    page, known = (registered.mlflow, registered.versions) if registered else (None, None)
    return Models(page, known, reviewed, live, asked.unknown)


@router.get("/models/{version}", responses={404: {"description": "there is no such version"}})
def model(place: Here, version: Annotated[str, Path(max_length=_NAME, description="its number or an alias: 3, champion")]) -> OneModel:  # fmt: skip
    """A version with its figures and tags, and what it said before the outcome was known."""
    found = place.seen(versions.registered, every_s=versions.EVERY_S).value.named(version)
    live = _Asked(place).of("live", lambda: place.seen(spoken.spoken, every_s=spoken.EVERY_S).value) or ()
    return OneModel(found, next((one for one in live if one.model_version == found.name), None))


@router.get("/portfolio")
def portfolio(place: Here) -> Accounts:
    """The paper portfolio of each model."""
    seen = place.seen(paper.held, every_s=paper.EVERY_S)
    return Accounts(seen.at, seen.value.accounts, seen.value.curve)


@router.get("/portfolio/positions")
def positions(
    place: Here, state: Annotated[Literal["open", "settled"], Query(description="what is held, or what was paid out")] = "open",
    model: Annotated[str, Query(max_length=_NAME, description="of one model by its name, polymarket/3")] = "", limit: Limit = 100, offset: Offset = 0,
) -> Positions:  # fmt: skip
    """What paper portfolios hold, marked at the newest mid, or held."""
    seen = place.seen(paper.held, every_s=paper.EVERY_S)
    found = seen.value.open if state == "open" else seen.value.settled
    kept = [one for one in found if model in ("", one.model_version)]
    return Positions(seen.at, len(kept), tuple(kept[offset : offset + limit]))


@router.get("/whales")
def orders(
    place: Here, least_usd: Annotated[float, Query(ge=0, le=1e9, allow_inf_nan=False, description="dollars an order has at least")] = 0,
    market: Annotated[str, Query(max_length=_NAME, description="of one market by its id")] = "", limit: Limit = 100, offset: Offset = 0,
) -> Orders:  # fmt: skip
    """Large orders of takers, their fills joined."""
    seen = place.seen(whales.whales, every_s=whales.EVERY_S)
    found, total = whales.chosen(seen.value, least_usd=least_usd, market=market, offset=offset, limit=limit)
    return Orders(seen.at, total, whales.named(place, found))


class _Asked:
    """Several sources, each of which may not answer."""

    def __init__(self, place: Place) -> None:
        self.unknown: dict[str, str] = {}
        self.first: PolymarketError | None = None

    def of(self, name: str, look: Callable[[], T], *, is_awaited: bool = True) -> T | None:
        """What a source says; None where it does not, and why is kept. Raises `NotYet` where it is awaited: a moment later more is known."""
        try:
            return look()
        except PolymarketError as e:
            if isinstance(e, NotYet) and is_awaited:
                raise
            self.first = self.first or e
            self.unknown[name] = failed(e, name).why
            return None
