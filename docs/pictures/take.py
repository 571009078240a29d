"""Take the README's pictures from a running `make demo`: python docs/pictures/take.py

Needs Debian's chromium. Look at every picture before committing it.
"""

from __future__ import annotations

from pathlib import Path

import requests
from playwright.sync_api import Page, sync_playwright

DAGSTER, MLFLOW = "http://127.0.0.1:3000", "http://127.0.0.1:5000"
HERE = Path(__file__).parent
# Pages draw after they have loaded; a graph takes the longest.
DRAWING_MS = 6_000
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip


def newest_run() -> str:
    """The experiment and run id of the newest MLflow run, as a page address."""
    experiments = requests.post(
        f"{MLFLOW}/api/2.0/mlflow/experiments/search", json={"max_results": 10}, timeout=10
    ).json()
    ids = [item["experiment_id"] for item in experiments["experiments"]]
    runs = requests.post(
        f"{MLFLOW}/api/2.0/mlflow/runs/search", json={"experiment_ids": ids, "max_results": 1}, timeout=10
    ).json()
    info = runs["runs"][0]["info"]
    return f"{MLFLOW}/#/experiments/{info['experiment_id']}/runs/{info['run_id']}"


def take(page: Page, name: str, address: str) -> None:
    """One picture of one address."""
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_timeout(DRAWING_MS)
    page.screenshot(path=HERE / f"{name}.png")
    print(name, address)


def main() -> None:
    """All pictures."""
    run = newest_run()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        take(page, "lineage", f"{DAGSTER}/asset-groups")
        take(page, "runs", f"{DAGSTER}/runs")
        take(page, "asset", f"{DAGSTER}/assets/snapshots/t4?view=events")
        take(page, "evaluation", f"{DAGSTER}/assets/evaluation")
        take(page, "mlflow_run", run)
        take(page, "mlflow_plots", f"{run}/artifacts")
        browser.close()


if __name__ == "__main__":
    main()
