"""The parts of the page of models that are about money: accounts, their curve, what is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from console.blocks import Block, Cell, Chart, Empty, Grid, Link, Tile, Tiles
from console.models import addresses, drawn, paper
from console.models.naming import questions, shortened
from console.models.paper import Account, Position
from console.parts import Asked
from console.place import Place

# What a page shows of each; the API has the others.
_OPEN, _SETTLED = 50, 20


def accounts_of(place: Place, asked: Asked) -> Iterator[Block]:
    """Tiles of all accounts together, their curves, and each account."""
    found = place.seen(paper.held, every_s=paper.EVERY_S).value
    if not found.accounts:
        yield Empty("Nothing was traded on paper yet: `paper_portfolio` decides on stored predictions, each after its books were recorded.", "materialize `paper_portfolio` in Dagster")  # fmt: skip
        return
    sums = {name: sum(getattr(one, name) for one in found.accounts) for name in ("realised_usd", "locked_usd", "marked_usd", "fees_usd", "open", "settled")}  # fmt: skip
    yield Tiles([
        Tile("realised", _usd(sums["realised_usd"]), f"{sums['settled']:,} settled positions of {len(found.accounts)} accounts", "good" if sums["realised_usd"] > 0 else "plain"),
        Tile("open", sums["open"], f"{_usd(sums['locked_usd'])} at cost", href="/table/paper_positions"),
        Tile("worth at the mid", _usd(sums["marked_usd"])), Tile("fees", _usd(sums["fees_usd"])),
    ])  # fmt: skip
    yield Chart("curve", drawn.curve(found.curve), "cash, and open positions at cost, after each run")
    yield Grid(("model", "through", "cash", "locked", "at the mid", "realised", "return on what was staked", "groups"), [_account(one) for one in found.accounts])  # fmt: skip


def _account(one: Account) -> list[Cell]:
    ends = "" if one.roi is None or one.roi.low is None or one.roi.high is None else f" ({one.roi.low:+.1%} … {one.roi.high:+.1%})"  # fmt: skip
    return [
        Link(one.model_version, addresses.of_version(one.model_version)), one.through, _usd(one.cash_usd), _usd(one.locked_usd), _usd(one.marked_usd), _usd(one.realised_usd),
        None if one.roi is None else f"{one.roi.value:+.1%}{ends}", one.groups,
    ]  # fmt: skip


def positions_of(place: Place, asked: Asked) -> Iterator[Block]:
    """What is open, and what was settled last."""
    found = place.seen(paper.held, every_s=paper.EVERY_S).value
    if not (found.open or found.settled):
        yield Empty("No position was ever opened: that takes a prediction with a bound that is better than an offer, after costs.")  # fmt: skip
        return
    asked_of = questions(place, (one.market_id for one in (*found.open[:_OPEN], *found.settled[:_SETTLED])))
    headings = ("market", "model", "outcome", "opened", "settled", "shares", "cost", "at the mid", "paid out")
    yield Grid(headings, [_position(one, asked_of) for one in found.open[:_OPEN]], f"{len(found.open):,} are open." if found.open else "None is open.")  # fmt: skip
    yield Grid(
        headings, [_position(one, asked_of) for one in found.settled[:_SETTLED]], "The newest settled ones."
    )


def _position(one: Position, asked_of: Mapping[str, str]) -> list[Cell]:
    return [
        Link(shortened(asked_of.get(one.market_id, one.market_id)), addresses.of_market(one.market_id)), one.model_version, one.outcome_index, one.opened_at, one.settled_at, one.shares, _usd(one.cost_usd),
        _usd(one.marked_usd), _usd(one.payout_usd),
    ]  # fmt: skip


def _usd(value: float | None) -> str | None:
    return None if value is None else f"{'-' if value < 0 else ''}${abs(value):,.2f}"
