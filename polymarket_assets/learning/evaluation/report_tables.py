"""The tables of a model's report: an evaluation's figures as text."""

from __future__ import annotations

from polymarket_assets.learning.evaluation.charts import kind
from polymarket_assets.learning.evaluation.intervals import Bounds, Interval
from polymarket_assets.learning.evaluation.judging import UPDOWN, Evaluation
from polymarket_assets.learning.evaluation.marks import CALLED, DESCRIBED, UNDECIDED
from polymarket_assets.learning.evaluation.slices import FALSE_DISCOVERIES, LEAST_GROUPS
from polymarket_assets.learning.evaluation.telling import mnats, percent
from polymarket_assets.learning.evaluation.weeks import LEAST_WEEKS, Tests
from polymarket_assets.learning.out_of_fold import BASELINES, MODEL, PRICE
from polymarket_assets.report.page import Grid

_SAID = {PRICE: "the market's price, mid of bid and ask", **BASELINES, MODEL: "the model"}
# Of a slice in a table; the chart says more.
_FOUND = {DESCRIBED: "described only", UNDECIDED: "–"}
_PARTS = {"all": "all but up/down", UPDOWN: "up/down series, apart"}


def gates(evaluation: Evaluation) -> Grid:
    """What a claim needs."""
    rows = [("yes" if gate.is_held else "no", gate.name, gate.told) for gate in evaluation.gates]
    return Grid("What the claim “beats the market” needs", ("held", "condition", "figure"), rows)


def baselines(evaluation: Evaluation) -> Grid:
    """The ladder, each by what it costs and what the model gains over it."""
    head = evaluation.overall
    rows = [
        (
            CALLED[MODEL],
            _SAID[MODEL],
            f"{head.rows:,}",
            f"{head.log_loss:.5f}",
            f"{head.brier:.5f}",
            "",
            "",
            "",
        )
    ]
    rows += [
        (f"{name}, the best" if name == head.best else name, _SAID[name], f"{one.rows:,}", f"{one.log_loss:.5f}", f"{one.brier:.5f}", *_both(one.gain), f"{one.skill.wider.value:+.2%}")
        for name, one in head.against.items()
    ]  # fmt: skip
    headings = ("forecast", "what it is", "rows", "log loss", "Brier", "gain over it, mnat, over groups", "over days", "Brier skill")  # fmt: skip
    remark = "Gains are positive where the model is better, with 95 % intervals; mnat: thousandths of a nat of log loss. A baseline on fewer rows is compared on those."
    return Grid("Every baseline", headings, rows, remark, frozenset(range(2, 8)), frozenset({1}))


def weeks(evaluation: Evaluation) -> Grid:
    """A line a week."""
    found = evaluation.weekly
    rows = [
        (f"{w.began_at:%Y-%m-%d}", f"{w.rows:,}", f"{w.groups:,}", f"{w.brier_skill:+.2%}", mnats(w.gain_over_price), mnats(w.gain_over_best))
        for w in found.weeks
    ]  # fmt: skip
    headings = ("week from", "rows", "groups", "Brier skill", "gain over the price, mnat", f"over the best baseline ({evaluation.overall.best})")  # fmt: skip
    remark = (
        f"Over the price: {_tested(found.over_price)}. Over the best baseline: {_tested(found.over_best)}."
    )
    return Grid("Weeks", headings, rows, remark, frozenset(range(1, 6)))


def slices(evaluation: Evaluation) -> Grid:
    """A line a slice."""
    rows = [
        (
            f"{s.axis}: {s.name}", f"{s.rows:,}", f"{s.groups:,}", percent(s.skill), mnats(s.gain), f"{s.power.logit:.2f}",
            f"{s.p_value:.3f}", "–" if s.adjusted_p is None else f"{s.adjusted_p:.3f}", _FOUND.get(kind(s), kind(s)),
        )
        for s in evaluation.slices
    ]  # fmt: skip
    headings = ("slice", "rows", "groups", "Brier skill, 95 %", f"gain over {evaluation.overall.best}, mnat, 95 %", "smallest, logit", "p", "adjusted p", "finding")  # fmt: skip
    tested = sum(s.adjusted_p is not None for s in evaluation.slices)
    told = f"{tested} slices were tested, {sum(s.is_discovery for s in evaluation.slices)} differ at a false discovery rate of {FALSE_DISCOVERIES:.0%}" if tested else f"No slice has the {LEAST_GROUPS} groups that a test needs"  # fmt: skip
    remark = f"{told}. Slices of price overlap; smallest: the correction so many groups confirm."
    return Grid("Slices", headings, rows, remark, frozenset(range(1, 8)))


def parts(evaluation: Evaluation) -> Grid:
    """The headline, up/down series, sources."""
    rows = [
        (_PARTS.get(s.part, f"source: {s.part}"), f"{s.rows:,}", f"{s.groups:,}", percent(s.brier_skill), f"{mnats(s.gain_over_best)} over {s.best}", f"{s.power.logit:.2f}", s.finding)
        for s in evaluation.scores
    ]  # fmt: skip
    headings = ("part", "rows", "groups", "Brier skill, 95 %", "log-loss gain, mnat, 95 %", "smallest, logit", "the model")  # fmt: skip
    return Grid("Parts, each judged for itself", headings, rows, "", frozenset(range(1, 6)), frozenset({6}))


def calibration(evaluation: Evaluation) -> Grid:
    """Each forecast by itself."""
    rows = []
    for name, one in evaluation.calibrations.items():
        parts, line = one.murphy, one.line
        ends = (_plain(line.intercept), _plain(line.slope)) if line else ("–", "–")
        rows.append((
            CALLED[MODEL] if name == MODEL else name, f"{parts.reliability:.5f}", f"{parts.resolution:.5f}", f"{parts.uncertainty:.5f}", f"{parts.within_bins:+.5f}",
            f"{one.reliability.ece:.4f}", f"{one.reliability.ece_of_noise:.4f}", *ends, "–" if one.auc is None else f"{one.auc:.4f}",
        ))  # fmt: skip
    headings = ("forecast", "reliability", "resolution", "uncertainty", "within bins", "ECE", "ECE of noise", "intercept, 95 %", "slope, 95 %", "AUC")  # fmt: skip
    remark = "Brier = reliability − resolution + uncertainty + within bins. ECE of noise: what a faultless forecast shows on so many groups."
    return Grid("Calibration of each forecast", headings, rows, remark, frozenset(range(1, 10)))


def power(evaluation: Evaluation) -> Grid:
    """What could have been seen."""
    rows = [
        (_PARTS.get(s.part, f"source: {s.part}"), f"{s.groups:,}", f"{s.power.effective_groups:,.0f}", f"{s.power.logit:.3f}", f"{s.power.brier_skill:.2%}", f"{1e3 * s.power.log_loss_gain:.2f}")
        for s in evaluation.scores
    ]  # fmt: skip
    headings = ("part", "groups", "effective", "smallest rms correction, logit", "worth, Brier skill", "worth, mnat")  # fmt: skip
    remark = "What so many groups confirm four times in five, at 5 % one-sided: N = 24.7 / (d² mean p(1 − p)). Nothing smaller is ruled out."
    return Grid("Power", headings, rows, remark, frozenset(range(1, 6)))


def _both(bounds: Bounds) -> tuple[str, str]:
    return mnats(bounds.by_group), mnats(bounds.by_day) if bounds.by_day else "too few days"


def _plain(figure: Interval) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} … {figure.high:.3f})"


def _tested(tests: Tests) -> str:
    signs = f"{tests.positive} of {tests.weeks} weeks are positive (sign test p {tests.sign_p_value:.3f})"
    if tests.p_value is None:
        return f"{signs}; a t-test needs {LEAST_WEEKS} weeks that differ"
    return f"mean of weeks {1e3 * tests.mean:+.2f} mnat, t {tests.t:+.2f} with {tests.freedom:.1f} degrees of freedom and {tests.lags} lags, p {tests.p_value:.3f}; {signs}"
