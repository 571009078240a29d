"""Every guard of the leak audit is green on a clean lake, and red when its leak is planted."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.spans import DAY, Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import splits, training_set
from polymarket_assets.learning.audit import guards, lakes, report
from polymarket_assets.learning.audit.audited import Audit, Finding
from polymarket_assets.learning.audit.guards import GUARDS
from polymarket_assets.learning.evidence.history import publish_history_days
from polymarket_assets.learning.evidence.quotes import Prices
from polymarket_assets.learning.evidence.recorded import publish_recorded
from polymarket_assets.learning.evidence.trades import Trades
from polymarket_assets_tests.learning import captured
from polymarket_assets_tests.learning.rows import HOUR, closed_market, price, publish, resolution

# Markets of the past, one a day: enough for folds.
PAST_DAYS = 62
FIRST = datetime(2026, 1, 5, 12, tzinfo=UTC)
NOW = FIRST + timedelta(days=PAST_DAYS + 30)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two hours of recordings, and a past of which everything is decided."""
    made = Lake(tmp_path_factory.mktemp("audited"))
    captured.fill(made)
    for hour in (captured.START, captured.START + HOUR):
        publish_recorded(made, hour)
    closes = [FIRST + n * DAY for n in range(PAST_DAYS)]
    publish(made, "history_markets", [closed_market(f"w:{n}", close) for n, close in enumerate(closes)])
    publish(made, "history_prices", [price(f"w:{n}", close - hours * HOUR, 300_000 + (n * 7 + hours) % 40 * 10_000) for n, close in enumerate(closes) for hours in range(1, 50)])  # fmt: skip
    # Early ends of half of them: whoever looks at when they really ended can tell how.
    publish(made, "resolutions", [resolution(f"w:{n}", close - (n % 2) * 3 * HOUR, int(n * 7 % 3 == 0)) for n, close in enumerate(closes)])  # fmt: skip
    list(publish_history_days(made, Span(FIRST.replace(hour=0) - 3 * DAY, FIRST.replace(hour=0) + (PAST_DAYS + 1) * DAY)))  # fmt: skip
    return made


def audit(lake: Lake) -> Audit:
    return Audit(lake, NOW, count=2)


def ask(name: str, audited: Audit) -> Finding:
    return next(guard for guard in GUARDS if guard.name == name).ask(audited)


@pytest.mark.slow
def test_a_clean_lake_is_green(lake: Lake) -> None:
    audited = audit(lake)
    found = {guard.name: guard.ask(audited) for guard in GUARDS}
    assert {name: finding.said for name, finding in found.items() if finding.good is False} == {}
    assert [name for name, finding in found.items() if finding.good is None] == ["one value in one source"], "the lake does not try the others"  # fmt: skip


def test_a_lake_may_be_named_from_where_one_stands(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the README's example does."""
    there = Path(lake.root)
    monkeypatch.chdir(there.parent)
    row = audit(lake).drawn[0]
    with TemporaryDirectory() as folder:
        assert lakes.as_it_is(Lake(there.name), row, Path(folder)).root == folder


@pytest.mark.parametrize(("found", "code"), [((True, None), 0), ((True, False), 1), ((None, None), 0)])
def test_the_audit_is_red_where_a_guard_is(found: tuple[bool | None, ...], code: int, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    asked = tuple(
        guards.Guard(f"{n}", "L1", lambda _, good=good: Finding(good, "said")) for n, good in enumerate(found)
    )
    monkeypatch.setattr(report, "GUARDS", asked)
    told = Console(file=io.StringIO(), width=200)
    assert report.run(None, told) == code  # type: ignore[arg-type]
    said = told.file.getvalue()  # type: ignore[attr-defined]
    assert "L15" in said
    assert said.count("✓") == found.count(True)
    assert said.count("not answered │ said") == found.count(None)
    assert f"{found.count(True)} of 2 guards are green, {found.count(False)} red" in said
    assert (f"{found.count(None)} not answered: of their leaks" in said) is (None in found)


def test_an_empty_lake_answers_nothing(tmp_path: Path) -> None:
    """Only what is declared can be looked at where there are no rows; all else would be green of nothing."""
    audited = Audit(Lake(tmp_path), NOW, count=2)
    found = {guard.name: guard.ask(audited) for guard in GUARDS}
    assert [name for name, finding in found.items() if finding.good is not None] == ["only what may be read"]
    assert all(finding.said for finding in found.values())


def test_weights_of_rows_without_an_earlier_half_are_not_answered(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    audited = audit(lake)
    nothing = audited.built.rows.slice(0, 0)
    monkeypatch.setattr(training_set, "build", lambda *_, **__: training_set.TrainingSet(nothing, {}))
    assert ask("weights of the time", audited).good is None


Plant = Callable[[pytest.MonkeyPatch, Audit], None]


def looks_ahead(patch: pytest.MonkeyPatch, audited: Audit) -> None:
    """The newest price of a minute later, in what was stored, too."""
    honest = Prices.standing
    patch.setattr(Prices, "standing", lambda self, market, at_us: honest(self, market, at_us + 60_000_000))
    audited.drawn = [found for row in audited.drawn if (found := audited.again(audited.lake, row))]


def counts_the_instant(patch: pytest.MonkeyPatch, _: Audit) -> None:
    """Trades of the very instant."""
    patch.setattr(Trades, "before", lambda self, market, at_us: self.series.until(market, at_us))


def stored_otherwise(_: pytest.MonkeyPatch, audited: Audit) -> None:
    """Features of another version of the code."""
    audited.drawn = [{**row, "spread_c": 77.0} for row in audited.drawn]


def reads_resolutions(patch: pytest.MonkeyPatch, _: Audit) -> None:
    patch.setattr(lakes, "STANDING", (*lakes.STANDING, "resolutions"))


def zero_where_recorded(_: pytest.MonkeyPatch, audited: Audit) -> None:
    """A feature that is filled with zero live and known in history."""
    rows = [{**row, "source": source, "mid": 0.5 if source == "recorded" else n / 500} for source in ("recorded", "w") for n, row in enumerate(audited.rows.to_pylist()[:1] * 250)]  # fmt: skip
    audited.rows = pa.Table.from_pylist(rows, TABLES["features"].schema)


def other_outcome_too(_: pytest.MonkeyPatch, audited: Audit) -> None:
    audited.built = replace(audited.built, rows=pa.concat_tables([audited.built.rows] * 2))


def without(reason: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch, audited: Audit) -> None:
        broken = training_set._JUDGED
        holds = dict(training_set._REASONS)[reason]
        patch.setattr(training_set, "_JUDGED", broken.replace(f"when {holds} then '{reason}'", ""))
        audited.__post_init__()

    plant.__name__ = f"without_{reason}"
    return plant


def weighs_by_hindsight(patch: pytest.MonkeyPatch, audited: Audit) -> None:
    """One over the rows that the market ended up with."""
    patch.setattr(training_set, "_WEIGHTED", training_set._WEIGHTED.replace(f"1.0 / ({training_set._PLANNED})", "1.0 / count(*) over (partition by market_id)"))  # fmt: skip
    audited.__post_init__()


def trains_on_all(patch: pytest.MonkeyPatch, _: Audit) -> None:
    """Rows drawn at random, or all of them: both sides know each other."""
    honest = splits.folds
    patch.setattr(splits, "folds", lambda rows, planned: (replace(fold, train=np.arange(rows.num_rows)) for fold in honest(rows, planned)))  # fmt: skip


def loses_some(_: pytest.MonkeyPatch, audited: Audit) -> None:
    audited.built.census["kept"] -= 1


PLANTED: list[tuple[str, Plant]] = [
    ("cut at the instant", looks_ahead), ("later and absurd rows", looks_ahead), ("later and absurd rows", counts_the_instant), ("stored is what live code computes", stored_otherwise),
    ("only what may be read", reads_resolutions), ("one value in one source", zero_where_recorded), ("each market once", other_outcome_too), ("before the result", without("decided")),
    ("by the scheduled end", without("not_due")), ("weights of the time", weighs_by_hindsight), ("nothing fitted on later weeks", trains_on_all), ("groups apart", trains_on_all),
    ("every row has a fate", loses_some),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "plant"), PLANTED, ids=[f"{name}: {plant.__name__}" for name, plant in PLANTED]
)
def test_a_planted_leak_is_found(
    name: str, plant: Plant, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guard that cannot fail guards nothing."""
    audited = audit(lake)
    if plant.__qualname__.startswith("without") and name == "by the scheduled end":
        audited.now = FIRST + 21 * DAY - HOUR
    plant(monkeypatch, audited)
    assert ask(name, audited).good is False


def test_every_guard_has_a_leak_planted_for_it() -> None:
    assert {name for name, _ in PLANTED} == {guard.name for guard in guards.GUARDS}
