"""The tables of the lake: what they hold, their rows, questions in SQL, downloads."""
