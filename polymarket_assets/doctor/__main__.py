"""`python -m polymarket_assets.doctor`: exit code 0 when the venue can be recorded, 1 when not, 2 for bad settings.

With `--live` of the installation as it runs: 0 when nothing is wrong, 1 for warnings, 2 for something critical.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from rich.console import Console

from polymarket_assets.doctor import costs, live, probing, report
from polymarket_assets.doctor.verdict import judge
from polymarket_assets.settings import NotConfigured, load

# Enough for a row of the table in a log or a file.
PIPED_WIDTH = 140


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine the venue that the settings name, and print what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m polymarket_assets.doctor",
        description="Ask every endpoint of the venue that the settings name; say which generation answers, what to do, and what recording costs.",
    )
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--live", action="store_true", help="what is wrong with the installation now, and what to do")  # fmt: skip
    asked.add_argument("--metrics", action="store_true", help="figures of collection, as Prometheus reads them")  # fmt: skip
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)
    try:
        settings = load()
    except NotConfigured as e:
        print(f"doctor: {e}", file=sys.stderr)
        return 2
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    if chosen.metrics:
        print(live.figures(settings), end="")
        return 0
    if chosen.live:
        return live.show(Console(width=width), settings)
    # What services say is text, whatever brackets are in it.
    console = Console(width=width, markup=False)
    venue = probing.patient(settings)
    with console.status("asking the venue"):
        findings = list(probing.examine(venue))
    verdict = judge(findings)
    report.show(console, findings, verdict, costs.estimate(settings))
    if not verdict.records:
        print(f"doctor: {verdict.problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
