"""Supervision: honcho runs the processes; this adds restarts, and logs that rotate.

A process that ends is started again after a pause; one that ends too often takes all down, since something
is wrong that a restart does not mend. One Ctrl-C stops everything.
"""

from __future__ import annotations

import logging
import logging.handlers
import multiprocessing
import re
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from honcho import manager as honcho_manager
from honcho.manager import Manager
from honcho.printer import Message, Printer
from honcho.process import Popen
from honcho.process import Process as HonchoProcess

from launch.processes import Process

# Ends within this many seconds of its start that are forgiven before everything is stopped.
QUICK_END_S = 10.0
QUICK_ENDS_FORGIVEN = 3
RESTART_PAUSE_S = 2.0
# The streamer publishes what it holds and Dagster ends its runs in this time; then they are killed.
STOP_S = 20
# Logs of a process: three files of 50 MB, as in production.
LOG_BYTES = 50_000_000
LOG_FILES = 3
# What terminals turn into colours, files show as noise.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def _heed_signals() -> None:
    """A process started by one that ignores signals would ignore them too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class _Kept(HonchoProcess):
    """A process that is started again when it ends, until `stopping` is set."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = partial(Popen, preexec_fn=_heed_signals)
        self._code = 0
        self.stopping: Any = None  # a multiprocessing event, shared with the supervisor

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Live until there is no next life, and only then tell that it ended: honcho stops all on the first end."""
        quick, again = 0, True
        while again:
            started = time.monotonic()
            super().run(events, ignore_signals)
            quick = quick + 1 if time.monotonic() - started < QUICK_END_S else 0
            again = not self.stopping.is_set() and quick <= QUICK_ENDS_FORGIVEN and self._pause()
        super()._send_message({"returncode": self._code}, type="stop")

    def _send_message(self, data: Any, type: str = "line") -> None:
        if type == "stop":
            self._code = data["returncode"]
        else:
            super()._send_message(data, type)

    def _pause(self) -> bool:
        self._send_message(f"ended with code {self._code}, starting again\n")
        return not self.stopping.wait(RESTART_PAUSE_S)


class _Logs(Printer):
    """Lines prefixed by process, to the terminal and to one rotating file per process."""

    def __init__(self, folder: Path, output: TextIO, quiet: bool) -> None:
        super().__init__(output)
        self._folder, self._quiet = folder, quiet
        self._files: dict[str, logging.Handler] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, message: Message) -> None:
        text = message.data.decode("utf-8", "replace") if isinstance(message.data, bytes) else message.data
        for line in _COLOURS.sub("", text).splitlines():
            self._file(message.name).emit(
                logging.makeLogRecord({"msg": f"{message.time:%Y-%m-%d %H:%M:%S} {message.name} | {line}"})
            )
        if not self._quiet:
            super().write(message)

    def _file(self, name: str) -> logging.Handler:
        if name not in self._files:
            self._files[name] = logging.handlers.RotatingFileHandler(
                self._folder / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1
            )
        return self._files[name]


class Supervisor(Manager):
    """Keeps processes running until told to stop; their logs lie in `folder`."""

    def __init__(self, folder: Path, *, quiet: bool = False, output: TextIO = sys.stdout) -> None:
        honcho_manager.KILL_WAIT = STOP_S
        super().__init__(_Logs(folder, output, quiet))
        self._process_ctor = _Kept
        self._stopping = multiprocessing.Event()

    def add_all(self, processes: Iterable[Process], environment: Mapping[str, str]) -> None:
        """Add processes, each in the common environment and its own."""
        for process in processes:
            kept = self.add_process(process.name, process.line, env={**environment, **process.environment})
            kept.stopping = self._stopping

    def terminate(self) -> None:
        """Stop everything, and start nothing again; what is only just starting is stopped once it has a process id."""
        self._stopping.set()
        if super()._all_started():
            super().terminate()

    def _all_started(self) -> bool:
        """Asked in every round of the loop."""
        started = bool(super()._all_started())
        if started and self._stopping.is_set():
            super().terminate()
        return started
