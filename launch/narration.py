"""How the demo tells of its stages: bars on a terminal, a line as each is done in a log."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

# Bars of this width leave room for the descriptions on a terminal of 80 columns.
BAR_WIDTH = 24


class Narration(Progress):
    """Progress bars where somebody watches; elsewhere nothing could be redrawn."""

    def __init__(self, console: Console) -> None:
        columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(BAR_WIDTH), TimeElapsedColumn())  # fmt: skip
        super().__init__(*columns, console=console, disable=not console.is_terminal)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Count on; tell when a stage is done."""
        before = self._tasks[task_id].finished
        super().advance(task_id, advance)
        self._tell(task_id, before)

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """Set how far a stage is; tell when it is done."""
        before = self._tasks[task_id].finished
        super().update(task_id, **changes)
        self._tell(task_id, before)

    def _tell(self, task_id: TaskID, before: bool) -> None:
        task = self._tasks[task_id]
        if self.disable and task.finished and not before:
            self.console.print(f"✓ {task.description} ({task.elapsed or 0:.0f} s)")
