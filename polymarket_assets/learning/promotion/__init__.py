"""Promotion: which model is followed. Gates decide, as code, and say why; without a model that passed them, the price is followed."""
