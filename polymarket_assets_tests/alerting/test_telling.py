"""What is told survives crashes, a Slack that is away, and being asked twice: nothing arrives twice, what is open is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from polymarket_assets import health
from polymarket_assets.alerting import delivery, messages, outbox, telling
from polymarket_assets.alerting.messages import Message
from polymarket_assets.alerting.outbox import State
from polymarket_assets.alerting.slack import Fate, Outcome
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.watching.asking import Looked
from polymarket_assets.watching.findings import Event, Figure, Finding, Source, Watched
from polymarket_assets_tests.alerting.looks import at, finding, looked

SOURCES = [
    Source("tiers", lambda watched: iter(())),
    Source("seldom", lambda watched: iter(()), every_s=1_800, confirm=2),
]
BASE = "http://ui.example"


class Crash(BaseException):
    """kill -9, as far as a process can do it to itself."""


@dataclass
class Place:
    """A folder with its state, and the Slack that it tells; `crash` is called with what is about to happen."""

    folder: Path
    arrived: list[Message] = field(default_factory=list)
    fates: Iterator[Outcome] = field(default_factory=lambda: iter(()))
    crash: Callable[[str], None] = lambda what: None

    def send(self, message: Message) -> Outcome:
        self.crash("send")
        outcome = next(self.fates, Outcome(Fate.SENT))
        if outcome.fate in (Fate.SENT, Fate.MAYBE):
            self.arrived.append(message)
        self.crash("sent")
        return outcome

    def tell(self, minute: float, *looks: Looked) -> telling.Told:
        return telling.tell(self.folder, SOURCES, lambda due, standing: [one for one in looks if one.source in {s.name for s in due}], self.send, now=at(minute), base=BASE)  # fmt: skip

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(message.change, message.kind) for message in self.arrived]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def through(place: Place, pattern: str, first: int = 0) -> int:
    """A minute for each mark; returns the next minute."""
    for minute, mark in enumerate(pattern, first):
        place.tell(minute, looked(finding()) if mark == "x" else looked())
    return first + len(pattern)


def test_a_state_that_is_read_again_at_every_look_tells_an_incident_once(place: Place) -> None:
    through(place, "xxxxxx..")
    assert place.said == [("opened", "tier_silent"), ("recovered", "tier_silent")]
    assert "lasted 6 min" in place.arrived[1].lines[0]


def test_findings_of_one_kind_are_one_message_with_links(place: Place) -> None:
    found = [finding(f"tier_silent:t{n}") for n in range(5)] + [finding("success_low:t4")]
    for minute in range(3):
        place.tell(minute, looked(*found))
    assert place.said == [("opened", "success_low"), ("opened", "tier_silent")]
    assert len(place.arrived[1].lines) == 5
    assert all(f"<{BASE}/jobs/x|open>" in line for line in place.arrived[1].lines)


def test_a_source_is_asked_when_it_is_due(place: Place) -> None:
    asked = [place.tell(minute, looked(), looked(source="seldom")).asked for minute in range(62)]
    assert [minute for minute, count in enumerate(asked) if count == 2] == [0, 30, 60]


@pytest.mark.parametrize(
    ("wrong", "asked", "said"),
    [
        (range(30, 31), [0, 30, 31, 32, 62, 92], []),
        (range(30, 50), [0, 30, 31, 61, 62, 92], ["opened", "recovered"]),
        (range(30, 200), [0, 30, 31, 61, 91], ["opened"]),
    ],
    ids=["one lost request", "an outage", "one that lasts"],
)
def test_what_is_not_decided_is_asked_again_at_the_next_tick(place: Place, wrong: range, asked: list[int], said: list[str]) -> None:  # fmt: skip
    """A source that is asked every half hour would tell of one lost request, and of its end half an hour later."""
    found = []
    for minute in range(100):
        one = looked(
            *([finding("venue_unrecordable")] if minute in wrong else []), source="seldom", confirm=2
        )
        found += [minute] * (place.tell(minute, looked(), one).asked == 2)
    assert found == asked
    assert [change for change, _ in place.said] == said


@pytest.mark.parametrize("source", [one for one in health.SOURCES if one.name in ("venue", "forecast", "stream", "tiers", "disks", "lake", "storage")], ids=lambda one: one.name)  # fmt: skip
def test_what_is_measured_is_not_told_after_one_look(source: Source) -> None:
    assert source.confirm >= 2


@pytest.mark.parametrize(
    ("fates", "arrived", "waits"),
    [
        ([Outcome(Fate.AGAIN, 30)], ["opened", "recovered"], 0),
        ([Outcome(Fate.AGAIN, 3_600)], [], 0),
        ([Outcome(Fate.MAYBE)], ["opened", "recovered"], 0),
        ([Outcome(Fate.REFUSED)], ["recovered"], 0),
    ],
    ids=["away for a while", "until it was over", "perhaps there", "cannot be read"],
)
def test_what_slack_does_not_take_waits_and_comes_once(place: Place, fates: list[Outcome], arrived: list[str], waits: int) -> None:  # fmt: skip
    place.fates = iter(fates)
    through(place, "xxx.........")
    assert [change for change, _ in place.said] == arrived
    assert len(outbox.read(place.folder, at(99)).waiting) == waits


def test_a_message_that_is_tried_for_weeks_is_tried_again(place: Place) -> None:
    """Two to the power of its tries is no number from the 1,025th on."""
    waiting = Message(id=1, at=at(0), change="opened", kind="k", title="t", lines=[], about=["k"], tries=5_000)  # fmt: skip
    outbox.write(place.folder, State(began=at(0), waiting=[waiting]))
    place.fates = iter([Outcome(Fate.AGAIN, 30)])
    place.tell(1)
    assert outbox.read(place.folder, at(1)).left_until == at(16)
    place.tell(16)
    assert [message.id for message in place.arrived] == [1]


def test_a_clock_that_was_ahead_silences_nothing_once_it_is_right(place: Place) -> None:
    year = 365 * 24 * 60
    through(place, "xxx..", year)
    place.fates = iter([Outcome(Fate.AGAIN, 30)])
    through(place, "xxx", year + 60)
    place.arrived.clear()
    through(place, "xxx")
    assert [change for change, _ in place.said] == ["opened", "reminded"]
    place.tell(4, happened("whale:1", minute=4))
    assert place.said[-1] == ("event", "whale")
    place.arrived.clear()
    through(place, "...xxx", 30 * 24 * 60)
    assert [change for change, _ in place.said] == ["recovered"], "the pause after it is that of now"


def test_slack_is_left_alone_as_long_as_it_asks_for(place: Place) -> None:
    place.fates = iter([Outcome(Fate.AGAIN, 300)])
    through(place, "xxxxxxx")
    assert place.said == []
    place.tell(7, looked(finding()))
    assert [change for change, _ in place.said] == ["opened"]


def test_a_crash_while_a_message_is_handed_over_does_not_send_it_twice_and_what_is_open_is_told_again(place: Place) -> None:  # fmt: skip
    def crash(what: str) -> None:
        if what == "sent":
            raise Crash

    minute, place.crash = through(place, "xx"), crash
    with pytest.raises(Crash):
        place.tell(minute, looked(finding()))
    place.crash = lambda what: None
    through(place, "x" * 20, 3)
    assert [change for change, _ in place.said] == ["opened", "reminded"]
    assert outbox.read(place.folder, at(99)).maybe_lost == 1


def test_nothing_is_sent_where_the_state_cannot_be_written(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Who cannot remember what was told would tell it every minute."""
    minute = through(place, "xx")

    def full(folder: Path, state: State) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "write", full)
        with pytest.raises(OSError, match="No space left"):
            place.tell(minute, looked(finding()))
    assert place.arrived == []
    place.tell(minute, looked(finding()))
    assert [change for change, _ in place.said] == ["opened"]


@pytest.mark.parametrize("content", ['{"began": ', '{"began": "2026-11-02T13:00:00Z", "format": 2}'], ids=["half", "of a newer version"])  # fmt: skip
def test_a_state_that_cannot_be_read_is_set_aside(place: Place, content: str) -> None:
    through(place, "x")
    (place.folder / outbox.FILE).write_text(content)
    through(place, "xxx", 1)
    assert [change for change, _ in place.said] == ["opened"]
    assert len(list(place.folder.glob("*.broken"))) == 1


def happened(*keys: str, minute: float = 1, only_changes: bool = False) -> Looked:
    return looked(events=[Event(key, at(minute), key, only_changes=only_changes) for key in keys])


def test_an_event_is_told_once_and_nothing_of_before_the_beginning(place: Place) -> None:
    place.tell(0, happened("whale:before", minute=-5))
    for minute in range(1, 5):
        place.tell(minute, happened("whale:a", "whale:b", "whale:before"))
    assert place.said == [("event", "whale")]
    assert place.arrived[0].about == ["whale:a", "whale:b"]


def test_how_things_stand_at_first_is_no_change(place: Place) -> None:
    place.tell(0, happened("venue_generation:v1", only_changes=True))
    place.tell(1, happened("venue_generation:v1", "venue_generation:v2", only_changes=True))
    place.tell(20_000, happened("venue_generation:v1", "venue_generation:v2", only_changes=True))
    assert [message.about for message in place.arrived] == [["venue_generation:v2"]]


def test_too_many_messages_let_events_go_before_incidents() -> None:
    state = State(began=at(0))
    made = [Message(id=n, at=at(0), change="event" if n % 2 else "opened", kind="k", title="t", lines=[], about=[]) for n in range(500)]  # fmt: skip
    outbox.add(state, made, at(1))
    assert len(state.waiting) == outbox.MOST_WAITING
    assert {message.change for message in state.waiting} == {"opened"}
    assert (state.dropped, state.dropped_at) == (300, at(1))


@pytest.mark.parametrize(
    ("waits", "dropped", "later", "said"),
    [
        (1, 0, 14, None),
        (1, 0, 16, "1 messages wait (Slack answered 404 no_service)"),
        (0, 3, 60, "3 were dropped so far"),
        (0, 3, 24 * 60 + 1, None),
        (2, 3, 16, "2 messages wait, 3 were dropped so far (Slack answered 404 no_service)"),
    ],
    ids=["a few minutes", "a quarter of an hour", "dropped", "dropped long ago", "both"],
)
def test_who_asks_is_told_that_alerts_do_not_arrive(tmp_path: Path, waits: int, dropped: int, later: int, said: str | None) -> None:  # fmt: skip
    made = [Message(id=n, at=at(0), change="opened", kind="k", title="t", lines=[], about=[]) for n in range(waits)]  # fmt: skip
    outbox.write(tmp_path, State(began=at(0), waiting=made, dropped=dropped, dropped_at=at(0) if dropped else None, why="Slack answered 404 no_service"))  # fmt: skip
    watched = Watched(Settings(_env_file=None, state_dir=tmp_path), at(later), lambda: Lake("nowhere"))  # type: ignore[call-arg]
    told = list(delivery.look(watched))
    assert [one.text for one in told if isinstance(one, Finding)] == ([f"alerts do not arrive: {said}"] if said else [])  # fmt: skip
    figures = {one.name: one.value for one in told if isinstance(one, Figure)}
    assert figures == {"alerts_waiting": waits, "alerts_oldest_waiting_seconds": 60 * later if waits else 0, "alerts_dropped_total": dropped, "alerts_maybe_lost_total": 0}  # fmt: skip


def test_who_asks_changes_nothing_of_a_state_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / outbox.FILE).write_text("{")
    with pytest.raises(MalformedPayload):
        outbox.peek(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [outbox.FILE]
    assert outbox.peek(tmp_path / "none") is None


def test_a_message_says_how_often_it_came_back(place: Place) -> None:
    through(place, "xxx.." + "x" * 18)
    assert "time" not in place.arrived[0].lines[0]
    assert "(for 19 min, for the 2nd time)" in place.arrived[-1].lines[0]


@pytest.mark.parametrize(("number", "said"), [(2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (21, "21st"), (113, "113th")])  # fmt: skip
def test_a_number_is_told_as_people_say_it(number: int, said: str) -> None:
    assert messages._ordinal(number) == said


def test_what_is_muted_is_told_nobody_and_has_not_recovered(place: Place) -> None:
    through(place, "xxx")
    happening = [Event("whale:1", at(4), "w"), Event("edge:1", at(4), "e")]
    wrong = [looked(finding(), finding("success_low:t4"), events=happening)] * 4
    for minute, one in enumerate([*wrong, looked(), looked()], 3):
        telling.tell(place.folder, SOURCES[:1], lambda due, standing, one=one: [one], place.send, now=at(minute), base=BASE, is_muted=lambda key: key.startswith(("tier_silent", "whale")))  # type: ignore[misc]  # fmt: skip
    assert place.said == [("opened", "tier_silent"), ("event", "edge"), ("opened", "success_low"), ("recovered", "success_low")]  # fmt: skip


def test_sources_are_told_what_is_open(place: Place) -> None:
    """What hovers about a threshold would open and recover all day."""
    told = []
    for minute, mark in enumerate("xxxx..."):
        one = looked(*([finding()] if mark == "x" else []))
        telling.tell(place.folder, SOURCES[:1], lambda due, standing, one=one: told.append(set(standing)) or [one], place.send, now=at(minute), base=BASE)  # type: ignore[func-returns-value, misc]  # fmt: skip
    assert told == [set(), set(), set(), {finding().key}, {finding().key}, {finding().key}, set()]


def absent(place: Place, minutes: range, wrong: Callable[[int], list[Looked]]) -> None:
    """Slack takes nothing for as long."""
    place.fates = iter([Outcome(Fate.AGAIN, 30)] * len(minutes))
    for minute in minutes:
        place.tell(minute, *wrong(minute))
    place.fates = iter(())


def test_after_a_long_absence_of_slack_only_what_stands_is_told(place: Place) -> None:
    """Not what came and went, nor each reminder of what stayed: nobody finds what stands in hours of old news."""
    days = 3 * 24 * 60
    flapping = finding("success_low:t4")
    absent(place, range(0, days, 5), lambda minute: [looked(finding(), *([flapping] if minute % 240 < 120 else []), confirm=1)])  # fmt: skip
    for minute in range(days, days + 20):
        place.tell(minute, looked(finding(), confirm=1))
    assert place.said == [("opened", "tier_silent"), ("reminded", "tier_silent")]


def test_what_happened_waits_behind_incidents(place: Place) -> None:
    absent(place, range(1), lambda minute: [happened("whale:1", minute=minute)])
    absent(place, range(1, 4), lambda minute: [looked(finding())])
    for minute in range(8, 11):
        place.tell(minute, looked(finding()))
    assert place.said == [("opened", "tier_silent"), ("event", "whale")]


def test_what_is_open_of_a_message_that_is_dropped_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 1)
    held, changes = telling.incidents.step({}, [looked(finding(), confirm=1)], at(0))
    state = State(began=at(0), incidents=held)
    first = list(messages.of_changes(changes, 1, at(0), BASE))
    outbox.add(state, first, at(0))
    outbox.add(state, [replace(first[0], id=2, about=["b"])], at(1))
    (incident,) = state.incidents.values()
    assert incident.remind_at == at(11)


def test_what_slack_shows_stays_within_its_limits() -> None:
    found = [Finding(f"asset_stale:{n}", finding().severity, at(0), "<&>" * 900, "/x") for n in range(100)]
    changes = [(telling.incidents.Change.OPENED, telling.incidents._new(one, "assets")) for one in found]
    (message,) = messages.of_changes(changes, 1, at(0), BASE)
    assert message.lines[-1] == "and 88 more"
    for block in message.blocks():
        for text in [block.get("text", {}), *block.get("elements", [])]:
            assert len(text.get("text", "")) <= 3_000


@pytest.mark.parametrize(
    ("span", "said"),
    [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3_600, "1 h"), (90_061, "1 d 1 h")],
)
def test_a_duration_is_told_in_its_two_largest_units(span: int, said: str) -> None:
    assert messages.lasting(timedelta(seconds=span)) == said


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("xx."), st.integers(0, 12)), max_size=50))
def test_a_restart_anywhere_doubles_nothing(steps: list[tuple[str, int]]) -> None:
    """Each look is killed before its n-th step to the outside (writing, sending, having sent), and the next begins with what is on disk."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        place, left = Place(Path(folder)), [0]

        def crash(what: str) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Crash

        written, seen = outbox.write, {}

        def write(where: Path, state: State) -> None:
            crash("write")
            written(where, state)
            # What was never handed over, because it was over before, is told by nothing.
            seen.update({message.id: message.change for message in state.waiting if message.is_sending})
            crash("written")

        patched.setattr(outbox, "write", write)
        place.crash = crash
        for minute, (mark, after) in enumerate(steps):
            # 0: not at all.
            left[0] = after
            with suppress(Crash):
                place.tell(minute, looked(finding()) if mark == "x" else looked())
        ids = [message.id for message in place.arrived]
        assert len(ids) == len(set(ids))
        turns = [seen[n] for n in sorted(seen) if seen[n] in ("opened", "recovered")]
        assert all(one != other for one, other in pairwise(turns))
