"""Watching: what is wrong, what happened, and figures of it, one small module for each source that is asked.

A source is a generator of `Finding`, `Event` and `Figure`. One that cannot be asked raises, and is a finding of its own.
Modules that read Dagster's records import it inside their functions: `polymarket_assets.health` is the door.
"""
