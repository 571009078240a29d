"""Learning on the grid of the design, 170,000 rows of 80 features: fit, walk, search, judge, score, each beside the plain way.

`python -m benchmarks learning`. Each piece runs in a process of its own, so that its CPU and peak memory are its own. The search is
measured on a few trials and scaled; `--long` makes all of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import learning_pieces as pieces
from benchmarks.learning_pieces import Took
from benchmarks.past import apart
from benchmarks.rows import Row, Tell
from polymarket_assets.learning.evaluation import DRAWS

# Wanted, by the issue, on two cores.
FIT_S, WALK_S, SEARCH_S, JUDGE_S, SCORE_S, MB = 10.0, 300.0, 1_500.0, 20.0, 1.0, 4_096.0
TRIALS, FEW = 80, 8

TITLE = "learning on 170,000 rows; × is of a plain way in the same minutes"


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    """Measure; rows come as they are known."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        tell("making rows")
        rows = int(apart(pieces.made, root).told)
        yield _machine()
        tell("one fit, and one by scikit-learn's interface")
        fit = apart(pieces.fitted, root)
        yield from _rows(f"a fit on {rows:,} × {fit.told:.0f}", fit, FIT_S, apart(pieces.fitted_plainly, root), 1.0, "200 trees of depth 6 by scikit-learn's interface")  # fmt: skip
        tell("walking through eight folds")
        walk = apart(pieces.walked, root)
        yield from _rows(f"{walk.told:.0f} folds of five members, baselines and kappa", walk, WALK_S)
        tell("judging, and a bootstrap by pandas")
        yield from _rows("a judgement with all its bootstraps", apart(pieces.judged, root), JUDGE_S, apart(pieces.judged_plainly, root), DRAWS / pieces.PLAIN_DRAWS, "pandas, one figure of it, scaled to as many draws")  # fmt: skip
        tell("scoring, and row by row")
        yield from _rows(f"{pieces.SCORED:,} rows scored", apart(pieces.scored, root), SCORE_S, apart(pieces.scored_plainly, root), pieces.SCORED / pieces.PLAIN_ROWS, "row by row, scaled")  # fmt: skip
        trials = TRIALS if long else FEW
        tell(f"searching, {trials} trials")
        yield from _search(apart(pieces.searched, root, trials), trials)
        yield _machine()


def _rows(name: str, ours: Took, wanted_s: float, plain: Took | None = None, times: float = 1.0, called: str = "") -> Iterator[Row]:  # fmt: skip
    """Time and peak memory; `times` is what the plain way is scaled by."""
    beside = f"; {called}: {plain.wall_s * times:,.1f} s, {plain.mb:,.0f} MB" if plain else ""
    note = f"{ours.cpu_s:,.1f} CPU-s{beside}"
    ratio = ours.wall_s / (plain.wall_s * times) if plain else None
    yield Row(f"{name}: time", ours.wall_s, "s", wanted_s, more=False, ratio=ratio, note=note)
    yield Row(f"{name}: peak memory", ours.mb, "MB", MB, more=False)


def _search(took: Took, trials: int) -> Iterator[Row]:
    note = f"{took.wall_s:,.0f} s, {took.cpu_s:,.0f} CPU-s for {trials} trials, {took.wall_s / trials:.1f} s each"
    scaled = "" if trials == TRIALS else ", scaled; fewer are given up early among so few"
    yield Row(f"a search of {TRIALS} trials on one cut: time", took.wall_s * TRIALS / trials, "s", SEARCH_S, more=False, note=note + scaled)  # fmt: skip
    yield Row("a search: peak memory", took.mb, "MB", MB, more=False)


def _machine() -> Row:
    """Two cores that nobody else uses need a quarter of a second; more says how busy they were."""
    took = apart(pieces.added)
    return Row(f"{pieces.ADDITIONS / 1e6:.0f} million additions of Python, for scale", took.wall_s, "s", note=f"{took.cpu_s:.2f} CPU-s")  # fmt: skip
