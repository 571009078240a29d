"""The models: champion and challengers, their skill, the paper portfolio; and large orders."""
