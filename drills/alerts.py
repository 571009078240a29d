"""`python -m drills.alerts`: every condition that people are told of, forced, through the sensor, to a local webhook.

Of each that lasts: three blips shorter than the rule; then for good, with the sensor's process ended between writing what is to
be told and sending it; then over, while Slack is limited, broken or away. There must be no alert of the blips, one of the
condition, with the right reason, and one recovery. Of each that happens: one message, none when it is seen again. At the end
Slack itself is hurt: slow, and the process ended while it hands a message over.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from rich.console import Console
from rich.table import Table

from drills import alert_conditions
from drills.alert_conditions import CONDITIONS, Condition, Forced
from drills.alert_place import Place, place
from drills.disks import enter_namespace
from drills.webhook import BROKEN, DOWN, LIMITED, OK, SLOW, Webhook
from polymarket_assets import health
from polymarket_assets.alerting.incidents import CLOSE_AFTER
from polymarket_assets.watching.findings import Watched

BLIPS = 3
# Looks within which what was found is told, Slack's pauses included.
TOLD_WITHIN = 8
WIDTH = 150


@dataclass(frozen=True)
class Row:
    """What became of a condition; None where it does not apply."""

    name: str
    kind: str
    blips: int | None
    alerts: int
    recoveries: int | None
    slack: str
    said: str

    @property
    def is_kept(self) -> bool:
        """Whether it was told as promised."""
        return not self.blips and self.alerts == 1 and self.recoveries in (1, None) and bool(self.said)


def _incident(at: Place, forced: Forced, condition: Condition, hurt: str) -> Row:
    confirm, hook = at.asked.confirm, at.webhook
    at.look()
    for _ in range(BLIPS):
        # What is asked so seldom that one look is enough is wrong and right again between two looks.
        forced.wrong()
        at.look(confirm - 1)
        forced.right()
        at.look()
    blips = _count(at, condition.kind)
    forced.wrong()
    at.look(confirm - 1)
    at.killed_look()
    said = _reason(at, condition)
    at.look(2)
    alerts = _count(at, condition.kind) - blips
    forced.right()
    hook.be(hurt)
    at.look(CLOSE_AFTER)
    hook.be(OK)
    at.look(TOLD_WITHIN)
    over = _count(at, condition.kind, over=True)
    return Row(condition.name, condition.kind, blips, alerts, over, hurt, said if not _reason(at, condition) else "")  # fmt: skip


def _event(at: Place, forced: Forced, condition: Condition, hurt: str) -> Row:
    at.look()
    forced.wrong()
    at.webhook.be(hurt)
    at.killed_look()
    at.look()
    at.webhook.be(OK)
    at.look(TOLD_WITHIN)
    said = next((message["text"] for message in at.webhook.arrived if f"`{condition.kind}`" in str(message["blocks"])), "")  # fmt: skip
    return Row(condition.name, condition.kind, None, _count(at, condition.kind), None, hurt, " ".join(said.split("\n")[1:]))  # fmt: skip


def _count(at: Place, kind: str, *, over: bool = False) -> int:
    """Messages of a kind that arrived: alerts, or recoveries."""
    of_kind = [message for message in at.webhook.arrived if f"`{kind}`" in str(message["blocks"][-1])]
    return sum((": over" in message["blocks"][0]["text"]["text"]) is over for message in of_kind)


def _reason(at: Place, condition: Condition) -> str:
    """What health says of it now."""
    watched = Watched(at.settings, at.now, lambda: at.lake, at.instance)
    found = [one for one in health.findings(watched, [at.asked]) if one.kind == condition.kind]
    return f"{found[0].severity}: {found[0].text}" if found else ""


def forced_condition(folder: Path, condition: Condition, hurt: str) -> Row:
    """One row of the table, in a place of its own."""
    webhook = Webhook()
    webhook.start()
    try:
        with place(folder, webhook, condition.source) as at, condition.force(at) as forced:
            return (_event if condition.is_event else _incident)(at, forced, condition, hurt)
    finally:
        webhook.stop()


def hurt_slack(folder: Path, how: str) -> Row:
    """A silent tier while Slack takes a message and does not say so, or our process is killed meanwhile: told once, and again as a reminder."""
    webhook = Webhook()
    webhook.start()
    try:
        with place(folder, webhook, "tiers") as at, alert_conditions.silent(at) as forced:
            at.look()
            forced.wrong()
            at.look(at.asked.confirm - 1)
            webhook.be(SLOW)
            at.now += alert_conditions.MINUTE
            _killed_tick(at) if how == "killed" else at.tick()
            webhook.be(OK)
            at.look(12)
            # A tier that is silent loses its slots, too: two kinds are told, each of them once.
            again = [": still" in title for title in webhook.said()]
            alerts = Counter(title for title in webhook.said() if ": still" not in title)
            said = f"{sum(again)} reminders" if sum(again) == at.state.maybe_lost > 0 else ""
            name = "Slack is slow, and we are killed meanwhile" if how == "killed" else "Slack is slow"
            return Row(name, "each kind", None, max(alerts.values(), default=0), None, SLOW, said)
    finally:
        webhook.stop()


def _killed_tick(at: Place) -> None:
    """A look in a process of its own, killed while Slack has the message and has not answered."""
    before = at.webhook.asked
    child = os.fork()
    if child == 0:
        at.tick()
        os._exit(0)
    until = time.monotonic() + 30
    while at.webhook.asked == before and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _table(rows: list[Row]) -> Table:
    table = Table("condition", "kind", "of three blips", "alerts", "recoveries", "Slack meanwhile", "what it said", "")  # fmt: skip
    for row in rows:
        shown = ("·" if row.blips is None else str(row.blips), str(row.alerts), "·" if row.recoveries is None else str(row.recoveries))  # fmt: skip
        table.add_row(row.name, row.kind, *shown, row.slack, row.said[:90], "✓" if row.is_kept else "✗")
    return table


def main(arguments: list[str] | None = None) -> int:
    """Run the drill and print its table; 1 where a promise was broken."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m drills.alerts", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="kinds to force; all without it")
    asked = parser.parse_args(given)
    try:
        code = enter_namespace("drills.alerts", given)
    except PermissionError as e:
        print(f"{e}: disks cannot be filled here", file=sys.stderr)
        return 1
    if code is not None:
        return code
    logging.disable(logging.ERROR)
    rows = []
    with tempfile.TemporaryDirectory(prefix="drill-alerts-", ignore_cleanup_errors=True) as folder:
        chosen = [one for one in CONDITIONS if not asked.only or one.kind in asked.only]
        for number, (condition, hurt) in enumerate(zip(chosen, cycle((LIMITED, BROKEN, DOWN)), strict=False)):
            began = time.monotonic()
            rows.append(forced_condition(Path(folder) / str(number), condition, hurt))
            print(f"{'✓' if rows[-1].is_kept else '✗'} {condition.name} ({time.monotonic() - began:.0f} s)", flush=True)  # fmt: skip
        if not asked.only:
            rows += [hurt_slack(Path(folder) / how, how) for how in ("slow", "killed")]
    Console(width=None if sys.stdout.isatty() else WIDTH, emoji=False, markup=False).print(_table(rows))
    good = all(row.is_kept for row in rows)
    print("every promise was kept" if good else "broken")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
