"""Moving: the history of Dagster and that of MLflow from one database to another, SQLite to Postgres above all.

Both keep one schema for all databases, so rows are copied as they are, with their numbers. What moves must stand still, and
its goal must be empty (docs/production.md).
"""
