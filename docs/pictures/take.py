"""Take the README's pictures from a running `make demo`: python docs/pictures/take.py

Needs Debian's chromium. Look at every picture before committing it.
"""

from __future__ import annotations

from pathlib import Path

import requests
from PIL import Image
from playwright.sync_api import FloatRect, Page, ViewportSize, sync_playwright

DAGSTER, MLFLOW = "http://127.0.0.1:3000", "http://127.0.0.1:5000"
HERE = Path(__file__).parent
# Pages draw after they have loaded; a graph takes the longest.
DRAWING_MS = 6_000
# Clicks until the tallest column fits.
ZOOMED_OUT = 3
# Pages have few: a third of the size, and nobody sees the difference.
COLOURS = 64
SIZE: ViewportSize = {"width": 1500, "height": 950}
# Where the graph is drawn on its taller page.
GRAPH: FloatRect = {"x": 760, "y": 120, "width": 720, "height": 1400}
# MLflow shows pages for language models unless told otherwise, and opens an assistant beside them.
TRAINING = "workflowType=machine_learning"
NO_ASSISTANT = """localStorage['mlflow.assistant.panelOpen_v1'] = 'false'; localStorage['mlflow.assistant.fab.autoOpenedOnFirstLoad_v1'] = 'true'"""
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


def take_lineage(page: Page) -> None:
    """The whole graph with every group opened, drawn small enough to fit in."""
    page.set_viewport_size({"width": 1700, "height": 1620})
    page.goto(f"{DAGSTER}/asset-groups", wait_until="domcontentloaded")
    page.wait_for_timeout(DRAWING_MS)
    page.keyboard.press("Alt+e")
    page.wait_for_timeout(DRAWING_MS)
    for _ in range(ZOOMED_OUT):
        page.get_by_label("zoom_out").click()
    page.wait_for_timeout(DRAWING_MS)
    page.screenshot(path=HERE / "lineage.png", clip=GRAPH)
    page.set_viewport_size(SIZE)


def main() -> None:
    """All pictures."""
    run = newest_run()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(viewport=SIZE)
        page.add_init_script(NO_ASSISTANT)
        take_lineage(page)
        take(page, "runs", f"{DAGSTER}/runs")
        take(page, "asset", f"{DAGSTER}/assets/snapshots/t4?view=events")
        take(page, "evaluation", f"{DAGSTER}/assets/evaluation")
        take(page, "mlflow_run", f"{run}?{TRAINING}")
        take(page, "mlflow_plots", f"{run}/artifacts/plots/reliability.png?{TRAINING}")
        browser.close()
    for picture in HERE.glob("*.png"):
        Image.open(picture).convert("RGB").quantize(COLOURS).save(picture, optimize=True)


if __name__ == "__main__":
    main()
