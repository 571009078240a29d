"""What each step of a model needs (ML.md 4.7): gates with what was found, whether they hold or not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from polymarket_assets.learning.drift import Drifted
from polymarket_assets.learning.evaluation import SEALED, Evaluation, Interval
from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.evaluation.intervals import LEVEL
from polymarket_assets.learning.splits import EMBARGO, LEAST_GROUPS

# A shadow becomes champion when forecasts stored before their outcome cover so long and so many resolved groups …
LIVE_FOR, LIVE_GROUPS = timedelta(weeks=4), 1_000
# … on which it loses no more than this over the price at the lower end, nats.
LIVE_LOSS = -0.001
# So long a shadow is left in its place: what it says on the last day has its outcome days later.
WATCHED_FOR = LIVE_FOR + EMBARGO
# Fewer live groups than this make an interval over two weeks meaningless: nothing is given up on it.
FALLBACK_GROUPS = 30


_NONE_SEALED = "there are none: eight weeks of decided markets are needed"


def of_claim(judged: Evaluation, compared: Gate | None, audited: Gate, openings: int = 1) -> tuple[Gate, ...]:
    """Challenger to shadow. `judged`: the judgement of sealed weeks, of open ones where there are none; `compared`: with the
    champion, None where that is the price; `audited`: for leaks; `openings`: how often sealed weeks were opened."""
    first, *others = judged.gates
    if judged.kind != SEALED:
        first = replace(first, told=_NONE_SEALED)
    found = [first, *others, paid(judged.overall.gain_over_best, openings), audited]
    return (*found, compared) if compared else tuple(found)


def of_audit(red: Sequence[str], unanswered: Mapping[str, str]) -> Gate:
    """Whether the guards `red` are none; `unanswered`: those that had nothing to look at, with what they missed."""
    told = ", ".join(red) or ("no guard is red" if unanswered else "the audit of the training set is green")
    missed = "; not answered: " + ", ".join(f"{name} ({said})" for name, said in unanswered.items())
    return Gate("no leak", not red, told + (missed if unanswered else ""))


def of_comparison(groups: int, gain: Interval | None) -> Gate:
    """Whether a challenger is better than the champion. `gain`: in log loss, on sealed rows of so many groups that both were asked
    about; None: too few to compare, and a champion is not replaced uncompared."""
    too_few = f"{groups} groups of sealed weeks were asked of both, {LEAST_GROUPS} are needed to compare"
    return Gate("better than the champion on the same rows", gain is not None and gain.low > 0, nats(gain) if gain else too_few)  # fmt: skip


def of_watching(shadow: str, until: datetime) -> Gate:
    """Of a shadow that no challenger replaces before an instant."""
    return Gate(f"the shadow had its {LIVE_FOR.days // 7} weeks live", False, f"{shadow} is watched until {until:%Y-%m-%d %H:%M} UTC")  # fmt: skip


def of_shadow(live: Evaluation | None, backtested: Interval | None) -> tuple[Gate, ...]:
    """Shadow to champion. `live`: the judgement of its stored predictions; `backtested`: its gain over the price on out-of-fold rows
    like them, None: there are none."""
    if live is None:
        return (Gate("scored live", False, "none of its stored predictions has an outcome yet"),)
    gain = live.overall.log_loss_gain
    return (
        Gate(f"at least {LIVE_FOR.days // 7} weeks scored live", live.span >= LIVE_FOR, f"{live.span.days} days from the first prediction with an outcome to the last"),
        Gate(f"at least {LIVE_GROUPS:,} resolved groups", live.overall.groups >= LIVE_GROUPS, f"{live.overall.groups:,}"),
        Gate("no worse than the price by a thousandth of a nat", gain.low > LIVE_LOSS, nats(gain)),
        _as_out_of_fold(gain, backtested),
    )  # fmt: skip


def _as_out_of_fold(gain: Interval, backtested: Interval | None) -> Gate:
    is_held = backtested is not None and agree(gain, backtested)
    told = nats(backtested) if backtested else "no row is as near to its end as live ones are"
    return Gate("live as out of fold", is_held, f"live {nats(gain)}, out of fold {told}")


def of_staying(live: Evaluation | None, drifted: Sequence[Drifted], top: Sequence[str], untold: str = "") -> tuple[Gate, ...]:  # fmt: skip
    """Champion to remain. `live`: the judgement of the last two weeks; `drifted`: its features then and now, `untold`: why there are
    none; `top`: those it rests on most."""
    worn = [one for one in drifted if one.is_null_rate_moved or (one.feature in top and one.is_moved)]
    told = ", ".join(one.said for one in worn[:3])
    found = [Gate("inputs as they were learnt from", not worn, told or untold or "no feature moved too far")]
    if live is None or live.overall.groups < FALLBACK_GROUPS:
        groups = live.overall.groups if live else 0
        return (
            *found,
            Gate("not worse than the price", True, f"{groups} groups of two weeks: too few to tell"),
        )
    gain = live.overall.log_loss_gain
    return (*found, Gate("not worse than the price", gain.high >= 0, f"two weeks: {nats(gain)}"))


def not_given_up(told: str) -> Gate:
    """Of a champion that was given up already, when and why."""
    return Gate("not given up before", False, told)


def paid(gain: Interval, openings: int) -> Gate:
    """Whether a gain is more than the luckiest of so many looks would show (Bonferroni), as if it were normal; this look is one."""
    from scipy.stats import norm

    openings = max(openings, 1)
    p_value = float(norm.sf(gain.value / gain.error)) if gain.error > 0 else 1.0
    name = f"still, with {openings} openings of sealed weeks paid for"
    return Gate(name, p_value * openings < (1 - LEVEL) / 2, f"p {p_value:.2g}, one-sided")


def agree(one: Interval, other: Interval) -> bool:
    """Whether two figures differ by no more than their intervals together explain."""
    return abs(one.value - other.value) <= math.hypot(one.width / 2, other.width / 2)


def nats(gain: Interval) -> str:
    """A gain with its interval, in words."""
    return f"{1e3 * gain.value:+.2f} thousandths of a nat ({1e3 * gain.low:+.2f} … {1e3 * gain.high:+.2f})"
