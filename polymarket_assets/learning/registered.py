"""What the registered model, its aliases and tags are called: for whoever asks the tracking server without its client."""

from __future__ import annotations

NAME = "polymarket"
EXPERIMENT = "polymarket"
CHALLENGER, SHADOW, CHAMPION, PREVIOUS = "challenger", "shadow", "champion", "previous"
ALIASES = (CHALLENGER, SHADOW, CHAMPION, PREVIOUS)
# Asked live: what is followed, what is watched, and what is new, so that evidence gathers from its first day.
ASKED = (CHAMPION, SHADOW, CHALLENGER)
# How instants stand in tags of versions.
TO_THE_MINUTE = "%Y-%m-%d %H:%M UTC"
DATA_UNTIL = "data_until"
# Since when a version was watched as shadow.
SHADOW_SINCE = "shadow_since"
# When and why a champion was given up: such a version asks for nothing any more.
GIVEN_UP = "given_up"
# The tag of a version that says the price, and of no other.
SAYS_THE_PRICE = "says_the_price"
# The tag of a run or version with its address in the console.
CONSOLE = "console"
# Pages of the tracking server show models for language first unless they are told.
TRAINING = "?workflowType=machine_learning"
