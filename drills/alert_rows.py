"""A condition taken through: blips, for good, over; and what came of it as a row of the drill's table."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from drills.alert_place import MINUTE, Place, place
from drills.forced import Condition, Forced, slots
from drills.webhook import OK, SLOW, Webhook
from polymarket_assets import health
from polymarket_assets.alerting.incidents import CLOSE_AFTER
from polymarket_assets.watching.findings import Finding, Watched

BLIPS = 3
# Looks within which what was found is told, Slack's pauses included.
TOLD_WITHIN = 8
# How often an incident whose telling may have been lost is looked at: its reminder comes after ten minutes.
REMINDED_WITHIN = 12
FINE = "fine"
# A look of a process that is to be killed in the middle of it hands its message over within this.
HANDS_OVER_WITHIN_S = 30.0


@dataclass(frozen=True)
class Row:
    """What became of a condition; None where it does not apply: what is told after one look is a fact, which no blip feigns. `health` is what it was before, during and after, `wanted` what it should have been."""

    name: str
    kind: str
    blips: int | None
    alerts: int
    recoveries: int | None
    slack: str
    said: str
    reason: str = ""
    health: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether it was told as promised, with the right reason."""
        is_told = not self.blips and self.alerts == 1 and self.recoveries in (1, None)
        return is_told and bool(self.said) and self.reason in self.said and self.health == self.wanted


def forced_condition(folder: Path, condition: Condition, hurt: str) -> Row:
    """One row of the table, in a place of its own; Slack is hurt where it matters most."""
    with _listening() as webhook, place(folder, webhook, condition.source) as at, condition.force(at) as forced:  # fmt: skip
        return (_event if condition.is_event else _incident)(at, forced, condition, hurt)


def hurt_slack(folder: Path, how: str) -> Row:
    """A silent tier while Slack takes a message and does not say so, or our process is killed meanwhile: told once, and again as a reminder."""
    with _listening() as webhook, place(folder, webhook, "tiers") as at, slots.silent(at) as forced:
        at.look()
        forced.wrong()
        at.look(at.asked.confirm - 1)
        webhook.be(SLOW)
        at.now += MINUTE
        _killed_tick(at) if how == "killed" else at.tick()
        webhook.be(OK)
        at.look(REMINDED_WITHIN)
        # A tier that is silent loses its slots, too: two kinds are told, each of them once.
        again = [": still" in title for title in webhook.said()]
        alerts = Counter(title for title in webhook.said() if ": still" not in title)
        said = f"{sum(again)} reminders" if sum(again) == at.state.maybe_lost > 0 else ""
        name = "Slack is slow, and we are killed meanwhile" if how == "killed" else "Slack is slow"
        return Row(name, "each kind", None, max(alerts.values(), default=0), None, SLOW, said)


@contextmanager
def _listening() -> Iterator[Webhook]:
    webhook = Webhook()
    webhook.start()
    try:
        yield webhook
    finally:
        webhook.stop()


def _incident(at: Place, forced: Forced, condition: Condition, hurt: str) -> Row:
    confirm, hook = at.asked.confirm, at.webhook
    at.look()
    before = _health(at, condition)
    blips = _blips(at, forced, condition) if confirm > 1 else None
    forced.wrong()
    at.look(confirm - 1)
    at.killed_look()
    during = _health(at, condition)
    at.look(2)
    alerts = _count(at, condition.kind) - (blips or 0)
    forced.right()
    hook.be(hurt)
    at.look(CLOSE_AFTER)
    after = _health(at, condition)
    hook.be(OK)
    at.look(TOLD_WITHIN)
    over = _count(at, condition.kind, over=True)
    said, levels = during.text if during else "", tuple(map(_level, (before, during, after)))
    return Row(condition.name, condition.kind, blips, alerts, over, hurt, said, condition.reason, levels, (FINE, str(condition.level), FINE))  # fmt: skip


def _blips(at: Place, forced: Forced, condition: Condition) -> int:
    """Alerts of a condition that is seen, and each time over before it was seen often enough."""
    for _ in range(BLIPS):
        forced.wrong()
        at.look(at.asked.confirm - 1)
        forced.right()
        # Apart by so much that no two of them are most of the looks that count.
        at.look(at.asked.confirm)
    return _count(at, condition.kind)


def _event(at: Place, forced: Forced, condition: Condition, hurt: str) -> Row:
    at.look()
    forced.wrong()
    at.webhook.be(hurt)
    at.killed_look()
    at.look()
    at.webhook.be(OK)
    at.look(TOLD_WITHIN)
    # Between its title and its section of the runbook.
    said = " ".join(line for text in _texts(at, condition.kind) for line in text.split("\n")[1:-1])
    return Row(condition.name, condition.kind, None, _count(at, condition.kind), None, hurt, said, condition.reason)  # fmt: skip


def _texts(at: Place, kind: str) -> list[str]:
    """The messages of a kind that arrived."""
    return [message["text"] for message in at.webhook.arrived if f"`{kind}`" in str(message["blocks"][-1])]


def _count(at: Place, kind: str, *, over: bool = False) -> int:
    """Messages of a kind that arrived: alerts, or recoveries."""
    return sum((": over" in text.partition("\n")[0]) is over for text in _texts(at, kind))


def _health(at: Place, condition: Condition) -> Finding | None:
    """What health says of it now; None where it says nothing."""
    watched = Watched(at.settings, at.now, lambda: at.lake, lambda: at.instance)
    return next((one for one in health.findings(watched, [at.asked]) if one.kind == condition.kind), None)


def _level(found: Finding | None) -> str:
    return found.severity.value if found else FINE


def _killed_tick(at: Place) -> None:
    """A look in a process of its own, killed while Slack has the message and has not answered."""
    before = at.webhook.asked
    child = os.fork()
    if child == 0:
        at.tick()
        os._exit(0)
    until = time.monotonic() + HANDS_OVER_WITHIN_S
    while at.webhook.asked == before and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
