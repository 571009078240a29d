"""What faults are told: how long, which sockets, which tokens. Each fault's own parameters extend these.

A parameter's description is its documentation: `GET /faults` shows it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0, le=1)]
Some = Literal["all", "open"] | Annotated[int, Meta(ge=1)] | Share | list[int]


class Unfit(ValueError):
    """No such fault, or not with these parameters; the message is one sentence."""


class Parameters(Struct, frozen=True, kw_only=True):
    """Of every fault."""

    for_s: Annotated[Seconds | None, Meta(description="it ends by itself after so many seconds")] = None


class OfSockets(Parameters, frozen=True, kw_only=True):
    """Of faults that some sockets have."""

    sockets: Annotated[
        Some,
        Meta(
            description='"all": also those that open later; "open": those open when it begins; 3: so many of them; 0.5: such a share; [2, 5]: those numbers'
        ),
    ] = "all"


class OfTokens(OfSockets, frozen=True, kw_only=True):
    """Of faults that some tokens have; without a choice, all of them."""

    token_ids: Annotated[list[str], Meta(description="these tokens")] = []
    condition_ids: Annotated[list[str], Meta(description="both tokens of these markets")] = []
    share: Annotated[Share | None, Meta(description="both tokens of such a share of the markets")] = None

    @property
    def chosen(self) -> bool:
        """Whether anything narrows the tokens."""
        return bool(self.token_ids or self.condition_ids or self.share is not None)


class OfFrames(OfTokens, frozen=True, kw_only=True):
    """Of faults that some frames have."""

    chance: Annotated[Share, Meta(description="the share of frames that it happens to")] = 1.0


def described(takes: type[Parameters]) -> dict[str, dict[str, Any]]:
    """Default and description by name."""
    hints = get_type_hints(takes, include_extras=True)
    names = sorted(takes.__struct_fields__, key=list(hints).index)
    defaults = msgspec.to_builtins(takes())
    return {name: {"default": defaults[name], "doc": _description(hints[name])} for name in names}


def _description(hint: Any) -> str:
    return next(str(meta.description) for meta in hint.__metadata__ if meta.description)


def read(fault: str, takes: type[Parameters], given: object) -> Parameters:
    """The parameters of a fault as they were given. Raises `Unfit`."""
    if not isinstance(given, dict):
        raise Unfit(f"{fault} takes a JSON object of parameters")
    for name in given:
        if name not in takes.__struct_fields__:
            raise Unfit(f"{fault} has no parameter {name}: it takes {', '.join(described(takes))}")
    try:
        return msgspec.convert(given, takes)
    except msgspec.ValidationError as e:
        why, _, where = str(e).partition(" - at `$.")
        raise Unfit(f"{fault}: {where.rstrip('`') + ': ' if where else ''}{why[0].lower()}{why[1:]}") from e
