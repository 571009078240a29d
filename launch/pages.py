"""Where to look after a demo: the model's report as a file, and the pages of MLflow and Dagster."""

from __future__ import annotations

from rich.console import Console

from launch import simulated
from launch.processes import LOOPBACK
from launch.up import links
from polymarket_assets.learning import tracking
from polymarket_assets.learning.tracking import links as tracked
from polymarket_assets.settings import Settings


def show(console: Console, settings: Settings, run_id: str) -> None:
    """Write the report of a run beside the demo's data and print where everything is. Raises `Unavailable`, `Gone`."""
    address = settings.need_mlflow_tracking_uri()
    dagster = f"http://{LOOPBACK}:{settings.dagster_port}"
    found = [
        ("model report", f"{tracking.fetch_report(run_id, simulated.DATA, address)}"),
        ("its run", tracked.of_run(address, run_id)),
        ("all runs", tracked.of_runs(address)),
        ("versions", tracked.of_versions(address)),
        ("portfolio", f"{dagster}/assets/paper_portfolio"),
        ("promotion", f"{dagster}/assets/promotion"),
        *links(simulated.running(settings)),
    ]
    for name, page in found:
        # Addresses are to be clicked: none is broken over lines.
        console.print(f"{name:>12}  {page}", soft_wrap=True)
