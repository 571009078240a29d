"""The charts of an evaluation, as Vega-Lite by Altair: each a function of what was found, without a title or a width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polymarket_assets.learning.evaluation.bins import Bin
from polymarket_assets.learning.evaluation.marks import (
    BETTER,
    CALLED,
    DESCRIBED,
    HEIGHT,
    INK,
    UNDECIDED,
    WORSE,
    chart,
    coloured,
    drawn,
    layered,
    named,
    quantity,
    range_of,
    ranged,
    tooltips,
    zero,
)
from polymarket_assets.learning.evaluation.scores import NO_RIVAL
from polymarket_assets.learning.evaluation.slices import Slice
from polymarket_assets.learning.out_of_fold import MODEL

if TYPE_CHECKING:
    import altair as alt

    from polymarket_assets.learning.evaluation.judging import Evaluation


_GAIN = "gain, thousandths of a nat"


def reliability(evaluation: Evaluation) -> alt.LayerChart:
    """What came true less what was said, points, by what was said; the model's bins with their intervals."""
    rows = [_gap(CALLED[name], one) for name in CALLED for one in evaluation.calibrations[name].reliability.bins]  # fmt: skip
    base, colour = chart(rows), coloured("forecast", list(CALLED.values()))
    x = quantity("said", "mean predicted probability", format=".0%", scale={"domain": [0, 1]})
    y = quantity("gap", "came true less predicted, points")
    tips = tooltips(("forecast", "", ""), ("said", "predicted", ".2%"), ("came", "came true", ".2%"), ("groups", "effective groups", ",.0f"))  # fmt: skip
    whole = base.encode(x=x, y=y, color=colour, tooltip=tips)
    of_model = base.transform_filter(f"datum.forecast == '{CALLED[MODEL]}'")
    return layered(
        [
            zero("y"),
            of_model.mark_rule(strokeWidth=2, opacity=0.55).encode(x=x, y="low:Q", y2="high:Q", color=colour),
            whole.mark_line(strokeWidth=1.2, opacity=0.6),
            whole.mark_point(filled=True, size=55, opacity=1),
        ],
        HEIGHT,
    )


def weeks(evaluation: Evaluation) -> alt.LayerChart:
    """Log-loss gain over the best baseline, thousandths of a nat: of each week with its interval, and of all weeks up to it."""
    found = evaluation.weekly.weeks
    gains, mass = np.array([w.gain_over_best.value for w in found]), np.array([w.weight for w in found])
    so_far = np.cumsum(gains * mass) / np.cumsum(mass)
    rows = [
        {"week": f"{w.began_at:%Y-%m-%d}", "groups": w.groups, "skill": w.brier_skill, "so_far": 1e3 * float(total), **drawn(w.gain_over_best)}
        for w, total in zip(found, so_far, strict=True)
    ]  # fmt: skip
    base = chart(rows).encode(x=named("week", axis={"labelAngle": -45}))
    tips = tooltips(("week", "week from", ""), ("groups", "groups", ",d"), ("value", "gain", "+.2f"), ("so_far", "so far", "+.2f"), ("skill", "Brier skill", "+.2%"))  # fmt: skip
    colour = coloured("kind", ["week", "all weeks so far"])
    reach = range_of([w.gain_over_best for w in found])
    y = quantity("value", _GAIN, scale={"domain": reach})
    of_week = base.transform_calculate(kind="'week'").encode(color=colour, tooltip=tips)
    line = base.transform_calculate(kind="'all weeks so far'").encode(color=colour, tooltip=tips)
    return layered(
        [
            zero("y"),
            of_week.mark_rule(strokeWidth=2, clip=True).encode(y=quantity("low", _GAIN, scale={"domain": reach}), y2="high:Q"),
            of_week.mark_point(filled=True, size=60, opacity=1, clip=True).encode(y=y),
            line.mark_line(strokeWidth=2.2, clip=True, point={"size": 25}).encode(y=quantity("so_far", _GAIN, scale={"domain": reach})),
        ],
        HEIGHT - 40,
    )  # fmt: skip


def slices(evaluation: Evaluation) -> alt.LayerChart:
    """Log-loss gain over the headline's best baseline by slice, thousandths of a nat; told apart where all looks are paid for."""
    found = evaluation.slices
    rows = [{"slice": f"{s.axis}: {s.name}", "kind": kind(s), "groups": s.groups, "skill": s.skill.value, "p": s.adjusted_p, **drawn(s.gain)} for s in found]  # fmt: skip
    names = [name for name in (BETTER, WORSE, UNDECIDED, DESCRIBED) if any(r["kind"] == name for r in rows)]
    tips = tooltips(("slice", "", ""), ("groups", "groups", ",d"), ("value", "gain", "+.2f"), ("skill", "Brier skill over the price", "+.2%"), ("p", "adjusted p", ".3f"))  # fmt: skip
    tested = [s.gain for s in found if s.adjusted_p is not None] or [s.gain for s in found]
    return ranged(rows, "slice", f"log-loss gain over the best baseline ({evaluation.overall.best}), thousandths of a nat (95 %)", "kind", names, tips, range_of(tested))  # fmt: skip


def baselines(evaluation: Evaluation) -> alt.LayerChart:
    """Log-loss gain over each baseline that has a claim to be beaten, thousandths of a nat: over groups, and over resolution days."""
    found = {name: one for name, one in evaluation.overall.against.items() if name != NO_RIVAL}
    kinds = {"over resolution days": "by_day", "over groups": "by_group"}
    rows = [
        {"baseline": name, "kind": what, "rows": one.rows, **drawn(bounds)}
        for name, one in found.items()
        for what, which in kinds.items()
        if (bounds := getattr(one.gain, which)) is not None
    ]
    names = [name for name in kinds if any(r["kind"] == name for r in rows)]
    tips = tooltips(("baseline", "", ""), ("kind", "interval", ""), ("value", "gain", "+.2f"), ("low", "from", "+.2f"), ("high", "to", "+.2f"), ("rows", "rows", ",d"))  # fmt: skip
    title = "log-loss gain of the model over it, thousandths of a nat (95 %)"
    return ranged(rows, "baseline", title, "kind", names, tips, range_of([one.gain.wider for one in found.values()]), offset=True)  # fmt: skip


def corrections(evaluation: Evaluation) -> alt.LayerChart:
    """How much of the weight the model moves how far, logits."""
    found = evaluation.corrections
    rows = [{"from": low, "to": high, "share": share} for low, high, share in zip(found.edges, found.edges[1:], found.shares, strict=False)]  # fmt: skip
    x = quantity(
        "from",
        "logit of the forecast less logit of the price",
        bin="binned",
        format="+.2~r",
        scale={"nice": False},
    )
    tips = tooltips(("from", "from", "+.3f"), ("to", "to", "+.3f"), ("share", "share of the weight", ".2%"))
    bars = chart(rows).mark_bar(color=INK, opacity=0.85).encode(x=x, x2="to:Q", y=quantity("share", "share of the weight", format=".1%"), tooltip=tips)  # fmt: skip
    return layered([bars, zero("x")], HEIGHT - 110)


def kind(one: Slice) -> str:
    """What a slice shows, with all looks paid for."""
    if one.adjusted_p is None:
        return DESCRIBED
    return UNDECIDED if not one.is_discovery else BETTER if one.gain.value > 0 else WORSE


def _gap(name: str, one: Bin) -> dict[str, Any]:
    low, high = (100 * (end - one.predicted) for end in (one.observed.low, one.observed.high))
    return {
        "forecast": name, "said": one.predicted, "came": one.observed.value, "gap": 100 * (one.observed.value - one.predicted),
        "low": low, "high": high, "groups": one.groups,
    }  # fmt: skip
