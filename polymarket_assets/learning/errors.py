"""What can go wrong with learning, on the platform's tree of errors."""

from __future__ import annotations

from polymarket_assets.venue.errors import Refused


class TooLittleToLearn(Refused):
    """There are too few labelled groups to train on; the message says how many there are and how many are needed."""


class NothingToJudge(Refused):
    """There are no rows a judgement may use, or they lack what every judgement needs; the message says which."""


class NothingToTrade(Refused):
    """A backtest was asked of no rows."""
