"""What Dagster keeps of a day, and what is left of it after pruning.

observed     every job once, as the platform runs it, against the simulator
day          when a day's runs and ticks come, and the same stored again at each of those instants
stores       empty instances to store it in: SQLite as `dagster.yaml` says, and Postgres
suite        the rows of the table
"""
