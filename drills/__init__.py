"""Drills: the platform is hurt on purpose, and what it then holds is compared with what was sent.

Each is a module with a command of its own; it prints a table of what was judged and ends with 1 where anything was
violated. What is judged is a matter of pure functions (`judging`), so that the judges can be tested too.
"""
