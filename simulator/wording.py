"""Questions, slugs and descriptions: invented places and names, in the venue's manner of asking."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime

from simulator.market import Topic

CRYPTO = Topic("crypto", (("21", "Crypto", "crypto"), ("1312", "Crypto Prices", "crypto-prices"), ("101757", "Recurring", "recurring"), ("102127", "Up or Down", "up-or-down")), "crypto_fees_v2", 0.07, 0.2)  # fmt: skip
SOCCER = Topic("sports", (("1", "Sports", "sports"), ("100350", "Soccer", "soccer"), ("100639", "Games", "games")), "sports_fees_v3", 0.05, 0.15)  # fmt: skip
NBA = Topic("sports", (("1", "Sports", "sports"), ("745", "NBA", "nba"), ("28", "Basketball", "basketball")), "sports_fees_v3", 0.05, 0.15)  # fmt: skip
TENNIS = Topic("sports", (("1", "Sports", "sports"), ("864", "Tennis", "tennis")), "sports_fees_v3", 0.05, 0.15)  # fmt: skip
POLITICS = Topic("politics", (("2", "Politics", "politics"), ("100265", "Geopolitics", "geopolitics")), "politics_fees", 0.04, 0.25)  # fmt: skip
ECONOMY = Topic("economy", (("100328", "Economy", "economy"), ("159", "Fed", "fed")), "economics_fees", 0.05, 0.25)  # fmt: skip
WEATHER = Topic("weather", (("84", "Weather", "weather"), ("104596", "Highest temperature", "highest-temperature")), "weather_fees", 0.05, 0.25)  # fmt: skip
CULTURE = Topic("culture", (("596", "Culture", "pop-culture"), ("18", "Awards", "awards")), "culture_fees", 0.05, 0.25)  # fmt: skip
TECH = Topic("technology", (("1401", "Tech", "tech"), ("439", "AI", "ai")), "tech_fees", 0.04, 0.25)

PLACES = ("Aldermoor", "Port Vesna", "Karst Valley", "Nortia", "Belmare", "Ostrava Bay", "Tarn Hollow", "Quillon", "Sarrow", "Evandale", "Lindmark", "Montreval")  # fmt: skip
FIRMS = ("Velora", "Brightline Foundry", "Octavo", "Nimbus Labs", "Halden Motors", "Parallax", "Corvid Air", "Tessera", "Fenwick Robotics", "Orchard & Vale")  # fmt: skip
PEOPLE = ("Ada Marrow", "Tomas Veld", "Irena Quist", "Joel Farrant", "Mina Okoro", "Luca Brandt", "Petra Sand", "Noor Hale")  # fmt: skip
CLUBS = ("Rovers", "Athletic", "United", "Harriers", "Wanderers", "Dynamo", "Albion", "Rangers")
ASSETS = {"btc": "Bitcoin", "eth": "Ethereum", "sol": "Solana", "xrp": "XRP"}

# Happens, or does not, until a date.
DEADLINE = (
    (POLITICS, "Will the {place} assembly pass the {n}th amendment"),
    (POLITICS, "Will {person} announce a run for mayor of {place}"),
    (ECONOMY, "Will the bank of {place} cut rates to {n} basis points"),
    (CULTURE, "Will {person} release album no. {n}"),
    (TECH, "Will {firm} ship model {n}"),
    (TECH, "Will {firm} name {person} chief executive in round {n}"),
)
# Is so, or not, on a date.
ON_A_DAY = (
    (ECONOMY, "Will the {place} index close above {n}0 on {day}?"),
    (ECONOMY, "Will {firm} report more than {n} million users on {day}?"),
    (WEATHER, "Will it rain more than {n} mm in {place} on {day}?"),
    (CULTURE, "Will {person} win prize {n} at the {place} awards on {day}?"),
    (TECH, "Will {firm} rank above {n} points on the {place} benchmark on {day}?"),
    (POLITICS, "Will turnout in {place} district {n} exceed half on {day}?"),
)


def day(at: float) -> str:
    """`November 30`."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%B} {moment.day}"


def minute(at: float) -> str:
    """`November 30, 14:05 UTC`: markets of minutes need their hour said."""
    return f"{day(at)}, {datetime.fromtimestamp(at, UTC):%H:%M} UTC"


def standalone(dice: random.Random, end: float, *, deadline: bool, brief: bool) -> tuple[Topic, str]:
    """A question of its own."""
    named = {
        "place": dice.choice(PLACES),
        "person": dice.choice(PEOPLE),
        "firm": dice.choice(FIRMS),
        "n": dice.randint(11, 399),
    }
    date = minute(end) if brief else day(end)
    if not deadline:
        topic, form = dice.choice(ON_A_DAY)
        return topic, form.format(**named, day=date)
    topic, form = dice.choice(DEADLINE)
    return topic, f"{form.format(**named)} {dice.choice(('by', 'before'))} {date}?"


def slug(text: str, suffix: str = "") -> str:
    """Lower case, words joined by dashes."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return f"{plain}-{suffix}" if suffix else plain


def description(question: str) -> str:
    """The rules, in the venue's manner."""
    return (
        f'This market will resolve to "Yes" if the answer to "{question}" is yes according to the official record. '
        'Otherwise, this market will resolve to "No".\n\nIf the matter cannot be decided, this market will resolve to 50-50.\n\n'
        "The primary resolution source for this market will be official information; a consensus of credible reporting may also be used."
    )
