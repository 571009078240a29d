"""A market, the event it is of, and how either is found."""
