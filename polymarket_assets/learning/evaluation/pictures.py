"""The pictures of an evaluation: which there are, what they are called, and how they become PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from polymarket_assets.learning.evaluation import charts, model_charts
from polymarket_assets.learning.evaluation.judging import Evaluation
from polymarket_assets.learning.explained import Explained
from polymarket_assets.report import page
from polymarket_assets.report.page import Panel


def pictures(evaluation: Evaluation, explained: Explained) -> dict[str, Panel]:
    """Every picture by its name, in the order of a page: title, remark and chart; what there is nothing of is left out."""
    best = evaluation.overall.best
    found = {
        "baselines": Panel("Gain over every baseline", "To the right of 0 the model is better. A claim needs the whole interval there, over the best baseline.", charts.baselines(evaluation)),
        "reliability": Panel("Reliability", "Above 0 more came true than was said. Bins of equal weight; bars are 95 % intervals of the model's bins.", charts.reliability(evaluation)),
        "skill_by_week": Panel("Gain by week", f"Log-loss gain over the best baseline ({best}) of each week with its 95 % interval, and of all weeks up to it.", charts.weeks(evaluation)),
        "corrections": Panel("How far the model moves the price", f"Root mean square {evaluation.corrections.rms:.3f} logit; the outermost bars hold what lies beyond.", charts.corrections(evaluation)),
    }  # fmt: skip
    if evaluation.slices:
        found["skill_by_slice"] = Panel("Gain by slice", "Slices describe; coloured are those that still differ when so many looks are paid for (false discovery rate 10 %).", charts.slices(evaluation))  # fmt: skip
    if explained.gains:
        found["feature_gain"] = Panel("What the splits rest on", "Share of the total gain, of the final model. It says what was used, not what was useful.", model_charts.gain(explained))  # fmt: skip
    if explained.effects:
        found["feature_effects"] = Panel("What features do", "A point for each bin of a feature's values, and for each word (diamonds): how far it moves the forecast.", model_charts.effects(explained))  # fmt: skip
    if explained.learning_curve:
        found["learning_curve"] = Panel("Learning curve", "Log-loss gain over the price on the newest open weeks, of corrections as they were learnt, none shrunk. Where it still rises, more data are worth more than more features.", model_charts.learning_curve(explained))  # fmt: skip
    return found


def write(drawn: Mapping[str, Panel], folder: Path) -> list[Path]:
    """Every picture as `<name>.png` in a folder."""
    paths = []
    for name, panel in drawn.items():
        (path := folder / f"{name}.png").write_bytes(page.picture(panel))
        paths.append(path)
    return paths
