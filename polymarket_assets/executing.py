"""The executor of every run: Dagster's own, all steps in the run's process, with signs that the process is there, at the priority of its lane.

Whatever the job, and whoever asked for it: what `reaping` knows of a run, it knows from here.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.executor.in_process import InProcessExecutor

from polymarket_assets.collecting import heartbeats
from polymarket_assets.partitions import utc_now
from polymarket_assets.settings import NotConfigured, load

if TYPE_CHECKING:
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan


# How far a run steps back, by its lane: windows and listings have an instant to meet, and the code server, whose child every
# run is, an answer to give within seconds. At 10 a process has a ninth of the weight of one at 0, at 5 a third; alone it
# has all there is.
NICENESS = {"train": 10, "batch": 5}


class SignedExecutor(InProcessExecutor):
    """Steps one after another, and a sign of life beside them."""

    def execute(
        self, plan_context: "PlanOrchestrationContext", execution_plan: "ExecutionPlan"
    ) -> Iterator[dg.DagsterEvent]:
        """Called by Dagster in the process of the run."""
        step_back(plan_context.dagster_run.tags)
        with heartbeats.present(_state_dir(), plan_context.run_id, utc_now):
            yield from super().execute(plan_context, execution_plan)


def step_back(tags: Mapping[str, str]) -> None:
    """Lower the priority of this process to its lane's; a process that was told to be nicer stays so."""
    wanted = NICENESS.get(tags.get("lane", ""), 0)
    os.nice(max(0, wanted - os.nice(0)))


def _state_dir() -> Path | None:
    """A setting that cannot be read is for the step to tell."""
    try:
        return load().state_dir
    except NotConfigured:
        return None


# A run is a process already; three steps in one took 2.7 s, each in its own 8.7 s.
@dg.executor(name="in_process", config_schema=dg.in_process_executor.config_schema)
def signed_executor(context: dg.InitExecutorContext) -> SignedExecutor:
    """Takes the place, and the configuration, of Dagster's `in_process`."""
    made = dg.in_process_executor.executor_creation_fn
    assert made is not None
    plain = made(context)
    assert isinstance(plain, InProcessExecutor)
    return SignedExecutor(plain.retries, plain.step_dependency_config)
