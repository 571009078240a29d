"""The platform against the simulator: what `make demo` runs, in folders of its own that start empty."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path

from launch import demo_lake, instance, processes
from launch.home import PROJECT, settle
from launch.ports import require_free
from launch.processes import LOOPBACK, Process
from launch.supervisor import Supervisor
from polymarket_assets.settings import Settings, load
from simulator.profiles import LESSON

DATA = PROJECT / "data" / "demo"
LEDGER = DATA / "ledger.jsonl"
LOGS = DATA / "logs"
SEED = 7
PROFILE = LESSON
# New markets live for minutes: the streamer looks for them more often than its usual half minute.
REFRESH_S = 5

# Settings of the demo that every process must be told.
_TOLD = (
    "polymarket_gamma_url", "polymarket_clob_url", "polymarket_data_url", "polymarket_ws_url", "min_volume_usd", "rate_share", "watch_windows",
)  # fmt: skip


def settings() -> Settings:
    """Settings that point at the simulator and into `DATA`, whatever the environment says; the lake may lie in an object store."""
    given = load()
    port = given.sim_port
    return settle(
        DATA,
        lake_root=demo_lake.root(given.lake_root, DATA / "lake"),
        state_dir=DATA / "state",
        dagster_home=DATA / "dagster",
        mlflow_tracking_uri=f"http://{LOOPBACK}:{given.mlflow_port}",
        polymarket_gamma_url=f"http://{LOOPBACK}:{port}/gamma",
        polymarket_clob_url=f"http://{LOOPBACK}:{port}/clob",
        polymarket_data_url=f"http://{LOOPBACK}:{port}/data",
        polymarket_ws_url=f"ws://{LOOPBACK}:{port + 1}/ws/market",
        # The simulated venue is ours alone: all of its markets, at its full published rates.
        min_volume_usd=0.0,
        rate_share=1.0,
        # The demo starts its own short windows.
        watch_windows=False,
    )


def running(settings: Settings) -> list[Process]:
    """The simulator, and the platform as `make up` would start it."""
    return [
        processes.simulator(settings, LEDGER, SEED, PROFILE.name),
        processes.mlflow(settings, DATA / "mlflow"),
        processes.code(settings),
        processes.webserver(settings),
        processes.daemon(settings),
        processes.streamer(settings, "--refresh-s", str(REFRESH_S)),
        processes.console(settings),
    ]


def clear(settings: Settings) -> None:
    """Forget the demo before: it is about what happens now. Raises as `demo_lake.empty`; then nothing was forgotten."""
    demo_lake.empty(settings.need_lake_root())
    shutil.rmtree(DATA, ignore_errors=True)


def run(*, tethered: bool) -> int:
    """Keep everything running until told to stop, or until standard input ends if `tethered`; returns the exit code.

    Raises:
        NotConfigured, PortBusy: nothing was started.
    """
    told = settings()
    kept = running(told)
    require_free(kept)
    environment = processes.environment(told, **{name.upper(): str(getattr(told, name)) for name in _TOLD})
    instance.make(Path(str(told.dagster_home)), environment)
    supervisor = Supervisor(LOGS)
    supervisor.add_all(kept, environment)
    if tethered:
        threading.Thread(target=end_with_input, daemon=True).start()
    supervisor.loop()
    return 0 if supervisor.returncode in (0, 130, 143) else 1


def end_with_input() -> None:
    """Whoever started us holds the other end: killed without a word, it takes us along."""
    # Not through `sys.stdin`: its lock, held while we wait, would be held for ever in every process forked meanwhile.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
