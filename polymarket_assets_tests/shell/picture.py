"""The graph as text that a person can read in a diff."""

from __future__ import annotations

import dagster as dg


def picture(defs: dg.Definitions) -> str:
    """Assets with their partitions and upstreams, then checks, jobs, schedules and sensors."""
    repository = defs.get_repository_def()
    graph = repository.asset_graph
    lines = ["assets"]
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        filed = (
            type(node.partitions_def).__name__.removesuffix("PartitionsDefinition").lower()
            if node.partitions_def
            else "whole"
        )
        kind = "" if node.is_materializable else " external"
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        lines.append(f"  {key.to_user_string()} ({filed}{kind}) <- {parents or '·'}")
    lines += [
        "checks",
        *(f"  {check.asset_key.to_user_string()}: {check.name}" for check in sorted(graph.asset_check_keys)),
    ]
    lines.append("jobs")
    for job in sorted(repository.get_all_jobs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            selected = ", ".join(sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys))
            lines.append(f"  {job.name}: {selected}")
    lines.append("schedules")
    lines += [
        f"  {s.name}: {s.cron_schedule} {s.default_status.value}"
        for s in sorted(repository.schedule_defs, key=lambda s: s.name)
    ]
    lines.append("sensors")
    lines += [
        f"  {s.name}: every {s.minimum_interval_seconds} s {s.default_status.value}"
        for s in sorted(repository.sensor_defs, key=lambda s: s.name)
    ]
    return "\n".join(lines) + "\n"
