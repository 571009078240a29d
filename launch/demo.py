"""`make demo`: the whole platform against the simulator in minutes, narrated, and held against the truth.

From the wire to a paper portfolio: listed markets, books and snapshots of five tiers, trades from the socket, history and
how it ended, features, a model judged against the market's own price, what it says of open markets, and what trading that
would have brought. What it claims at the end is compared with the simulator's ledger; a difference is a non-zero exit code.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console

from launch import pages, portfolio, processes, simulated, stages, summary
from launch.narration import Narration
from launch.ports import require_free
from launch.recording import Recording
from launch.supervisor import STOP_S
from polymarket_assets.lake import open_lake
from polymarket_assets.settings import Settings


def run(*, once: bool) -> int:
    """Narrate the demo; stay until Ctrl-C unless `once`. Returns the exit code.

    Raises:
        NotConfigured, PortBusy, LakeError, Refused: nothing was started.
        Unavailable, RunFailed: a process or a run did not do its part; everything was stopped.
    """
    console, began = Console(), time.monotonic()
    settings = simulated.settings()
    # Before anything is cleared: whoever holds the ports may be a demo that is running.
    require_free(simulated.running(settings))
    simulated.clear(settings)
    simulated.settings()
    console.print(f"The lake of the demo: {settings.need_lake_root()}, begun anew. What LAKE_ROOT names is not touched.", soft_wrap=True)  # fmt: skip
    with _platform() as child:
        good = _narrate(console, settings, child)
        console.print(f"Took {time.monotonic() - began:.0f} s. Lake: {settings.need_lake_root()}; ledger and logs: {simulated.DATA}", soft_wrap=True)  # fmt: skip
        if not once:
            console.print("Everything stays up; Ctrl-C stops it.")
            _stay(child)
    return 0 if good else 1


@contextmanager
def _platform() -> Iterator[subprocess.Popen[bytes]]:
    """The processes, under a supervisor of their own so that Ctrl-C reaches it through us, once."""
    simulated.LOGS.mkdir(parents=True, exist_ok=True)
    with (simulated.LOGS / "supervisor.log").open("wb") as log:
        command = [sys.executable, "-m", "launch", "simulated", "--tethered"]
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield child
    except KeyboardInterrupt:
        print("\nstopping…", flush=True)
        raise
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=2 * STOP_S)


def _narrate(console: Console, settings: Settings, child: subprocess.Popen[bytes]) -> bool:
    console.print(f"Takers of this simulator overpay for YES by {simulated.PROFILE.overpaid_logit:g} logit: there is an edge to be found.")  # fmt: skip
    with Narration(console) as progress:
        dagster = stages.start(settings, child, progress)
        stages.discover(dagster, progress)
        recording = Recording(dagster, progress)
        recording.go_on(stages.WATCH_S)
        learning = stages.learn(dagster, recording, progress)
        asking = stages.ask(dagster, recording, progress)
        watched = recording.end()
        known_at = stages.close(dagster, watched, lambda: _seal(settings), progress)
        learned = stages.judge(dagster, learning, progress)
        asked = stages.pay(dagster, asking, known_at, progress)
    good = summary.show(console, summary.lines(settings, watched, learned, asked))
    model = learned["model"]
    portfolio.show(
        console, open_lake(settings.need_lake_root()), str(model["version"]), float(model["kappa"])
    )
    pages.show(console, settings, str(model["mlflow_run_id"]))
    return good


def _seal(settings: Settings) -> None:
    command = [sys.executable, "-m", "streamer", "seal", "--until", "now"]
    subprocess.run(command, env=processes.environment(settings), check=True, capture_output=True)


def _stay(child: subprocess.Popen[bytes]) -> None:
    with suppress(KeyboardInterrupt):
        child.wait()
    print("\nstopping…", flush=True)
