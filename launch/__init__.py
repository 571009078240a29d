"""Launching: `make up` and `make demo` — the platform's processes on one machine, supervised together.

Knows which commands there are, not what they do. Production runs the same commands as containers.
"""
