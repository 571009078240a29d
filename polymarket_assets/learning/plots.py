"""Pictures of an evaluation, as PNG files: reliability, skill by source, what the model looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from polymarket_assets.learning.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MODEL, _MARKET, _QUIET = "#0b6e99", "#d1495b", "#8a8f98"
_FEATURES_SHOWN = 15


def draw(evaluation: Evaluation, gains: dict[str, float], folder: Path) -> list[Path]:
    """Draw every picture into a folder; without gains, the last one is left out."""
    figures = {"reliability": _reliability(evaluation), "skill_by_source": _skill(evaluation)}
    if gains:
        figures["feature_gain"] = _gain(gains)
    return [_saved(figure, folder / f"{name}.png") for name, figure in figures.items()]


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Figures of their own: pyplot's global state is not for servers."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _reliability(evaluation: Evaluation) -> Figure:
    figure, axes = _canvas(6, 6)
    axes.plot([0, 1], [0, 1], color=_QUIET, linewidth=1, linestyle="--", label="perfect")
    for name, colour, mark in (("market", _MARKET, "s"), ("model", _MODEL, "o")):
        bins = evaluation.reliability[name]
        axes.plot(
            bins.predicted, bins.observed, color=colour, marker=mark, markersize=5, linewidth=1.6, label=name
        )
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
        xlabel="mean predicted probability",
        ylabel="share that came true",
    )
    axes.set_title(
        f"Reliability on {evaluation.overall.groups:,} unseen groups, bins of equal weight",
        loc="left",
        fontsize=11,
    )
    axes.legend(frameon=False, loc="upper left")
    return figure


def _skill(evaluation: Evaluation) -> Figure:
    scores = evaluation.scores[::-1]
    figure, axes = _canvas(8, 1.6 + 0.55 * len(scores))
    for at, of in enumerate(scores):
        value, low, high = (100 * x for x in (of.brier_skill.value, of.brier_skill.low, of.brier_skill.high))
        colour = _MODEL if of.brier_skill.low > 0 else _MARKET if of.brier_skill.high < 0 else _QUIET
        axes.plot([low, high], [at, at], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot([value], [at], color=colour, marker="o", markersize=8, markeredgecolor="white")
        axes.annotate(
            f"{value:+.2f} %", (value, at), xytext=(0, 9), textcoords="offset points", ha="center", fontsize=9
        )
    axes.axvline(0, color="#30343b", linewidth=1)
    axes.set_yticks(range(len(scores)), [f"{of.source}\n{of.groups:,} groups" for of in scores])
    axes.set(
        ylim=(-0.6, len(scores) - 0.3), xlabel="Brier skill against the market's price, % (95 % over groups)"
    )
    axes.set_title("Better than the price to the right of 0", loc="left", fontsize=11)
    return figure


def _gain(gains: dict[str, float]) -> Figure:
    shown = [(name, share) for name, share in list(gains.items())[:_FEATURES_SHOWN] if share > 0][::-1]
    figure, axes = _canvas(7, 1.4 + 0.3 * max(len(shown), 1))
    axes.barh([name for name, _ in shown], [100 * share for _, share in shown], color=_MODEL, height=0.7)
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="share of the total gain, %")
    axes.set_title("What the final model's splits rest on", loc="left", fontsize=11)
    return figure


def _saved(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=130)
    return path
