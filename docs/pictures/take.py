"""Take the README's pictures from a running `make demo` in which `learning` ran at least twice: PYTHONPATH=. python docs/pictures/take.py

Needs Debian's chromium. Look at every picture before committing it.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import requests
from PIL import Image
from playwright.sync_api import FloatRect, Page, ViewportSize, sync_playwright

from launch.simulated import DATA
from polymarket_assets.learning.tracking import links

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
# Three charts in a row.
CURVES: FloatRect = {"x": 0, "y": 0, "width": 1500, "height": 640}
# MLflow shows pages for language models unless told otherwise, and opens an assistant beside them.
TRAINING = "workflowType=machine_learning"
NO_ASSISTANT = """localStorage['mlflow.assistant.panelOpen_v1'] = 'false'; localStorage['mlflow.assistant.fab.autoOpenedOnFirstLoad_v1'] = 'true'"""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip


def judged_runs() -> list[tuple[str, str]]:
    """Experiment and run ids of the MLflow runs that were judged, the newest first."""
    experiments = requests.post(
        f"{MLFLOW}/api/2.0/mlflow/experiments/search", json={"max_results": 10}, timeout=10
    ).json()
    ids = [item["experiment_id"] for item in experiments["experiments"]]
    asked = {"experiment_ids": ids, "max_results": 10, "filter": "metrics.brier_skill > -1"}
    runs = requests.post(f"{MLFLOW}/api/2.0/mlflow/runs/search", json=asked, timeout=10).json()
    return [(run["info"]["experiment_id"], run["info"]["run_id"]) for run in runs["runs"]]


def comparison(runs: list[tuple[str, str]]) -> str:
    """The page that compares runs of one experiment."""
    ids = json.dumps([run for _, run in runs])
    return f"{MLFLOW}/#/compare-runs?runs={quote(ids)}&experiments={quote(json.dumps([runs[0][0]]))}&{TRAINING}"  # fmt: skip


def take(page: Page, name: str, address: str, *, down: str | None = None) -> None:
    """One picture of one address, from where the text `down` stands on."""
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_timeout(DRAWING_MS)
    if down:
        page.get_by_text(down, exact=True).first.evaluate("node => node.scrollIntoView()")
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


def take_curves(page: Page, experiment: str) -> None:
    """The lines of all runs over one another."""
    page.goto(f"{MLFLOW}/#/experiments/{experiment}/runs?compareRunsMode=CHART&{TRAINING}", wait_until="domcontentloaded")  # fmt: skip
    page.wait_for_timeout(DRAWING_MS)
    page.get_by_placeholder("Search metric charts").fill("curves")
    page.wait_for_timeout(DRAWING_MS)
    page.screenshot(path=HERE / "mlflow_plots.png", clip=CURVES)


def main() -> None:
    """All pictures."""
    runs = judged_runs()
    run = f"{MLFLOW}/#/experiments/{runs[0][0]}/runs/{runs[0][1]}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(viewport=SIZE)
        page.add_init_script(NO_ASSISTANT)
        take_lineage(page)
        take(page, "runs", f"{DAGSTER}/runs")
        take(page, "asset", f"{DAGSTER}/assets/snapshots/t4?view=events")
        take(page, "evaluation", f"{DAGSTER}/assets/evaluation")
        take(page, "promotion", f"{DAGSTER}/assets/promotion")
        take(page, "paper", f"{DAGSTER}/assets/paper_portfolio")
        take(page, "mlflow_runs", str(links.of_runs(MLFLOW)))
        take(page, "mlflow_compare", comparison(runs[:2]), down="Parameters")
        take(page, "mlflow_versions", str(links.of_versions(MLFLOW)))
        take(page, "mlflow_run", f"{run}?{TRAINING}")
        take_curves(page, runs[0][0])
        take(page, "model_report", f"file://{DATA}/model_report.html")
        browser.close()
    for picture in HERE.glob("*.png"):
        Image.open(picture).convert("RGB").quantize(COLOURS).save(picture, optimize=True)


if __name__ == "__main__":
    main()
