"""What can go wrong with learning, on the platform's tree of errors."""

from __future__ import annotations

from polymarket_assets.venue.errors import Refused


class TooLittleToLearn(Refused):
    """There are too few labelled groups to train on; the message says how many there are and how many are needed."""
