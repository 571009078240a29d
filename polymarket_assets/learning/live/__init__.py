"""Live: what models say before the outcome, stored, and how that went."""
