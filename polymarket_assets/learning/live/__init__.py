"""Live: what models say before the outcome, stored, and how that went."""

# What was heard at an instant lies in the lake so much later: the streamer files every minute, and a sweep takes some seconds.
FILED_S = 75.0
