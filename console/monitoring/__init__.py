"""What goes on now: health, the stream, the tiers, and how complete what is recorded is.

asking      health, each source at its own pace        streamers  what each streamer tells of itself
heard       what the stream brought to the lake        sampled    slots of the tiers
disks       how large, and when full                   fields     columns that are filled
worth       hours, sides of trades, labels             errors     the newest of what went wrong
drawn       charts, each made once
state       LIVE, STALE or DISCONNECTED                linking    Dagster and MLflow; lakes: DuckDB in little memory
overview stream quality   the pages                    api        the endpoints
"""
