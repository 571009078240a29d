"""Does anything know more than it could have? Guards that any lake can be held against, each for leaks of ML.md 2.5.

`lakes` makes lakes that know less, or other things, than the one under audit; `guards` are the questions, each answered by a
`Finding`; `report` shows them. A guard is worth as much as its test, which plants the leak and wants it found.
"""
