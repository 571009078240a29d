"""The pages of `console.models`."""

from __future__ import annotations

from console.models import parts_of_models as models
from console.models import parts_of_paper as paper
from console.models import parts_of_whales as whales
from console.parts import Page, Part

PAGES: tuple[Page, ...] = (
    Page(
        "models",
        "Models",
        (
            Part("versions", "Versions", models.versions_of, every_s=30),
            Part("promotion", "The last review", models.review_of, every_s=60),
            Part("live", "Said before the outcome was known", models.live_of, every_s=60),
            Part("paper", "Paper portfolio", paper.accounts_of, every_s=60),
            Part("positions", "Open positions", paper.positions_of, every_s=60),
            Part("version", "One version", models.version_of, every_s=60),
            Part("tried", "How much was tried", models.tried_of, every_s=300),
        ),
        says="A model corrects the market's own price. Its skill is what it takes off the price's error on weeks it had not seen: 0 is as good as the price.",
    ),
    Page(
        "whales",
        "Whales",
        (
            Part("hours", "By the hour", whales.hours_of, every_s=60),
            Part("orders", "Newest large orders", whales.orders_of, every_s=30),
        ),
        says="Orders of takers, their fills joined: of 5,000 dollars, or of 500 that take a quarter of the book near the price or make a twentieth of a day's volume.",
        controls="whales.html",
    ),
)
