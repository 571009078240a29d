"""The demo's stages and checks, asked of the services of `docker-compose.yml` where they run."""

from __future__ import annotations

from rich.console import Console

from drills.processes import Simulator
from launch import stages, summary
from launch.compose_check import VARIABLES
from launch.containers import Containers
from launch.narration import Narration
from launch.recording import Recording
from launch.runs import Dagster
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import Unavailable


def variables(venue: Simulator, *, watch: bool) -> dict[str, str]:
    """What stands in `.env`: the simulator for a venue, and ours alone."""
    told = venue.settings
    addresses = {name.upper(): str(getattr(told, name)) for name in ("polymarket_gamma_url", "polymarket_clob_url", "polymarket_data_url")}  # fmt: skip
    return {**VARIABLES, **addresses, "POLYMARKET_WS_URL": venue.url, "MIN_VOLUME_USD": "0", "RATE_SHARE": "1", "WATCH_WINDOWS": str(watch).lower()}  # fmt: skip


def settings(made: Containers, venue: Simulator) -> Settings:
    """Where people, and the demo's stages, find it all."""
    data = made.image.root / "data"
    return venue.settings.model_copy(update={
        "lake_root": str(data / "lake"), "state_dir": data / "state", "mlflow_tracking_uri": f"http://127.0.0.1:{made.ports['5000']}",
        "dagster_port": made.ports["3000"], "mlflow_port": made.ports["5000"], "stream_status_port": made.ports["8081"],
    })  # fmt: skip


def demo(console: Console, made: Containers, venue: Simulator) -> bool:
    """The stages of `make demo`, asked of the services; whether all that it checks is as it must be."""
    told = settings(made, venue)

    def seal() -> None:
        if made.execute("streamer", "python", "-m", "streamer", "seal", "--until", "now"):
            raise Unavailable(f"sealing failed: {made.said('streamer')[-2000:]}")

    with Narration(console) as progress:
        dagster = Dagster(told.dagster_port, seconds=stages.START_S)
        stages.discover(dagster, progress)
        recording = Recording(dagster, progress)
        recording.go_on(stages.WATCH_S)
        learning = stages.learn(dagster, recording, progress)
        asking = stages.ask(dagster, recording, progress)
        watched = recording.end()
        known_at = stages.close(dagster, watched, seal, progress)
        learned = stages.judge(dagster, learning, progress)
        asked = stages.pay(dagster, asking, known_at, progress)
    return summary.show(console, summary.lines(told, watched, learned, asked, venue.ledger))
