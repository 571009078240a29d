"""The parts of the page of models that are about versions: which there are, what was decided, how they fared."""

from __future__ import annotations

from collections.abc import Iterator

from console.blocks import Badge, Block, Cell, Chart, Empty, Facts, Grid, Level, Link, Note, Tile, Tiles
from console.models import addresses, drawn, review, spoken, tried, versions
from console.models.review import Decision, Gate
from console.models.spoken import Spoken
from console.models.versions import Figure, Registered, Version
from console.parts import Asked
from console.place import Place
from polymarket_assets.learning.registered import CHALLENGER, CHAMPION

_MATERIALIZE = "materialize `training_set`, `model` and `evaluation` in Dagster"
_LEVELS: dict[str, Level] = {"granted": "good", "refused": "warning", "waits": "plain"}
# A description repeats the table of parts, which MLflow shows.
_MOST_TOLD = 1_200


def versions_of(place: Place, asked: Asked) -> Iterator[Block]:
    """Every version with its roles and figures."""
    found = place.seen(versions.registered, every_s=versions.EVERY_S)
    if found.error is not None:
        yield Note(f"As of {found.at:%Y-%m-%d %H:%M:%S}: {found.error}", "warning")
    if not found.value.versions:
        yield Empty(
            "No model was made yet: that takes a few hundred groups of markets that ended.", _MATERIALIZE
        )
        return
    headings = (
        "version",
        "role",
        "in MLflow",
        "",
        "registered",
        "skill over the price",
        "gain, mnat",
        "learnt until",
    )
    yield Grid(headings, [_row(one) for one in found.value.versions], "Skill is 1 − Brier ÷ Brier of the price, gain the price's log loss less its own in thousandths of a nat, with 95 % intervals, on open weeks.")  # fmt: skip
    yield Facts([("all of them", Link("MLflow", found.value.mlflow))])


def _row(one: Version) -> list[Cell]:
    return [
        Link(one.name, addresses.of_version(one.name)), _role(one), Link("version", one.mlflow_version), Link("run", one.mlflow_run) if one.mlflow_run else None,
        one.created_at, _percent(one.skill), _mnat(one.gain), one.data_until,
    ]  # fmt: skip


def _role(one: Version) -> Cell:
    said = ", ".join((*one.aliases, *(["says the price"] if one.says_the_price else ()), *(["given up"] if one.given_up else ())))  # fmt: skip
    return Badge(said, "good" if CHAMPION in one.aliases else "warning" if one.given_up else "plain") if said else None  # fmt: skip


def review_of(place: Place, asked: Asked) -> Iterator[Block]:
    """What was decided of each version, and every gate."""
    found = place.seen(review.reviewed, every_s=review.EVERY_S).value
    if found is None:
        yield Empty("No review was made yet: `promotion` looks at every version once a day.", "materialize `promotion` in Dagster")  # fmt: skip
        return
    yield Facts([("reviewed", found.at), ("in Dagster", Link("run", found.run)), ("asset", Link("promotion", found.asset))])  # fmt: skip
    if not found.decisions:
        yield Note("No version asked for anything.")
        return
    yield Grid(("version", "asked for", "answer", "why"), [_decided(one) for one in found.decisions], sentences=frozenset({3}))  # fmt: skip
    gates = [_gate(one, gate) for one in found.decisions for gate in one.gates]
    yield Grid(("version", "asked for", "gate", "", "found"), gates, sentences=frozenset({3, 4}))


def _decided(one: Decision) -> list[Cell]:
    return [one.version, one.asked, Badge(one.answered.partition(",")[0], _level(one)), one.why or one.answered]  # fmt: skip


def _gate(one: Decision, gate: Gate) -> list[Cell]:
    said = Badge("holds", "good") if gate.is_held else Badge("does not hold", "warning")
    return [one.version, one.asked, said, gate.name, gate.found]


def _level(one: Decision) -> Level:
    return _LEVELS.get(one.answered.partition(",")[0], "plain")


def live_of(place: Place, asked: Asked) -> Iterator[Block]:
    """Figures of every model that spoke, and charts of one."""
    seen = place.seen(spoken.spoken, every_s=spoken.EVERY_S)
    if not seen.value:
        yield Empty("No prediction is stored yet: `predictions` asks the models every quarter of an hour, once there is one.", "materialize `predictions` in Dagster")  # fmt: skip
        return
    yield Grid(("model", "role", "first", "last", "predictions", "decided", "groups", "skill", "gain, mnat"), [_spoke(one) for one in seen.value], f"The last {spoken.LOOK_BACK.days // 7} weeks, as of {seen.at:%H:%M:%S}.")  # fmt: skip
    one = _chosen(place, asked, seen.value)
    if not one.decided:
        yield Empty(f"None of what {one.model_version} said is decided yet: its markets have to end, and `resolutions` to tell how.")  # fmt: skip
        return
    yield Chart("reliability", drawn.reliability(one.model_bins, one.price_bins), f"{one.model_version}: what came true of what was said, with 95 % intervals; on the line it is as said")  # fmt: skip
    yield Chart("weeks", drawn.weeks(one.weeks), f"{one.model_version}: gain in log loss over the price, week by week, with 95 % intervals; above 0 it is better than the price")  # fmt: skip


def _spoke(one: Spoken) -> list[Cell]:
    return [
        Link(one.model_version, addresses.of_version(one.model_version)), one.role, one.first_at, one.last_at, one.predictions, one.decided, one.groups,
        None if one.skill is None else f"{one.skill:+.2%}", _mnat(one.gain),
    ]  # fmt: skip


def _chosen(place: Place, asked: Asked, found: tuple[Spoken, ...]) -> Spoken:
    """The one that was asked for, else the one of which most is decided."""
    named = asked.given.get("version", "")
    return next((one for one in found if named and one.model_version.rpartition("/")[2] == named), max(found, key=lambda one: one.decided))  # fmt: skip


def version_of(place: Place, asked: Asked) -> Iterator[Block]:
    """What is known of the version that was asked for: else the champion, or while that says the price the challenger."""
    found = place.seen(versions.registered, every_s=versions.EVERY_S).value
    if not found.versions:
        yield Empty("There is no version yet.", _MATERIALIZE)
        return
    named = asked.given.get("version", "")
    one = found.named(named) if named else _shown(found)
    yield Facts([
        ("version", one.name), ("role", _role(one)), ("registered", one.created_at), ("learnt until", one.data_until), ("shadow since", one.shadow_since),
        ("given up", one.given_up), ("in MLflow", Link("version", one.mlflow_version)), ("run", Link(one.run_id, one.mlflow_run) if one.mlflow_run else one.run_id),
        ("what it said", Link("predictions", addresses.of_rows("predictions", model_version=one.name))),
    ])  # fmt: skip
    if one.description:
        yield Note(one.description.partition("\n|")[0].partition("[In the console]")[0].strip()[:_MOST_TOLD])
    yield Note("What it was trained with")
    yield Facts([(name, str(value)) for name, value in sorted(one.params.items())])
    figures = [(name, value) for name, value in sorted(one.metrics.items()) if "/" not in name]
    yield Note("Its figures of unseen weeks" if figures else "It was not judged yet: materialize `evaluation`.")  # fmt: skip
    yield Facts(figures)


def _shown(found: Registered) -> Version:
    roles = {alias: one for one in found.versions for alias in one.aliases}
    champion = roles.get(CHAMPION)
    return champion if champion and not champion.says_the_price else roles.get(CHALLENGER, found.versions[0])


def tried_of(place: Place, asked: Asked) -> Iterator[Block]:
    """What a claim has to pay for."""
    found = place.seen(tried.tried, every_s=tried.EVERY_S).value
    yield Tiles([
        Tile("trainings", found.trainings, "runs that were counted"), Tile("shapes of trees tried", found.shapes),
        Tile("openings of sealed weeks", found.openings, "each makes the next worth less", href="/table/trials"),
    ])  # fmt: skip


def _percent(one: Figure | None) -> Cell:
    return None if one is None else f"{one.value:+.2%}" + _ends(one, 1, "+.2%")


def _mnat(one: Figure | None) -> Cell:
    return None if one is None else f"{1e3 * one.value:+.2f}" + _ends(one, 1e3, "+.2f")


def _ends(one: Figure, times: float, written: str) -> str:
    return "" if one.low is None or one.high is None else f" ({times * one.low:{written}} … {times * one.high:{written}})"  # fmt: skip
