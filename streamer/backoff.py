"""How long to wait before connecting again: exponential with full jitter and a ceiling, for ever."""

from __future__ import annotations

import random

# The official clients begin with a quarter of a second and end with thirty.
FIRST_S = 0.25
CEILING_S = 30.0
# Connections are begun this far apart, so that two hundred of them are no burst on the venue.
STAGGER_S = 0.05


def pause_s(failures: int, dice: random.Random) -> float:
    """Seconds to wait after so many failures in a row: anything up to the doubled bound.

    Full jitter, as in "Exponential Backoff And Jitter" (Brooker, 2015): clients that lost the venue together
    do not come back together.
    """
    return dice.uniform(0, min(CEILING_S, FIRST_S * 2 ** min(failures, 16)))
