"""Figures that tell whether the platform stays light: one module per figure, measured beside something comparable.

`make bench` prints them and appends them as JSON lines. Machines differ and run other things, so nothing here passes or fails:
what carries from one machine to another is the ratio to what was measured beside it, in the same minutes.
"""
