"""The examination as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from polymarket_assets.doctor.costs import Cost
from polymarket_assets.doctor.probing import Finding
from polymarket_assets.doctor.verdict import Verdict


def endpoints(findings: Sequence[Finding]) -> Table:
    """A row per endpoint."""
    table = Table(title="Endpoints", title_justify="left")
    for column in ("service", "endpoint", "answers", "generation"):
        table.add_column(column, no_wrap=True)
    table.add_column("latency", justify="right", no_wrap=True)
    table.add_column("note", overflow="fold")
    for finding in findings:
        latency = "" if finding.latency_ms is None else f"{finding.latency_ms:.0f} ms"
        answers = "yes" if finding.answers else "NO" if finding.needed else "no"
        table.add_row(finding.service, finding.endpoint, answers, finding.generation, latency, finding.note)
    return table


def costs(estimated: Sequence[Cost]) -> Table:
    """A row per part of running, and the sum."""
    table = Table(
        title="Cost of running with these settings, at the most (uncompressed)", title_justify="left"
    )
    for column in ("part", "requests a second", "allowed", "GB a day"):
        table.add_column(column, justify="left" if column == "part" else "right")
    for cost in estimated:
        allowed = "" if cost.allowed_a_s is None else f"{cost.allowed_a_s:.1f}"
        table.add_row(cost.part, f"{cost.requests_a_s:.2f}", allowed, f"{cost.gb_a_day:.1f}")
    total = sum(cost.requests_a_s for cost in estimated), sum(cost.gb_a_day for cost in estimated)
    table.add_section()
    table.add_row("all", f"{total[0]:.2f}", "", f"{total[1]:.1f}")
    return table


def show(console: Console, findings: Sequence[Finding], verdict: Verdict, estimated: Sequence[Cost]) -> None:
    """Print everything but the problem, which goes to standard error."""
    console.print(endpoints(findings))
    for said in verdict.generations:
        console.print(f"• {said}", highlight=False, markup=False)
    for said in verdict.degraded:
        console.print(f"! {said}", highlight=False, markup=False)
    if verdict.records and not verdict.degraded:
        console.print("Nothing is degraded.")
    console.print(costs(estimated))
