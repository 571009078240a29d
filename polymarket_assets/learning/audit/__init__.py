"""Does anything know more than it could have? Guards that any lake can be held against, each for leaks of ML.md 2.5.

`audited` is the lake under audit with rows drawn from it, `lakes` makes others that know less, or other things; `guards` are the
questions (`of_features`, `of_rows`), each answered by a `Finding`; `report` shows them. A guard is worth as much as its test, which plants the leak and wants it found.
"""
