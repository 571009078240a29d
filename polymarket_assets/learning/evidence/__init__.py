"""Evidence: what could have been known of markets at instants, from which features are expressions.

`recorded` and `history` bring what the lake has into the same relations; from there on one code serves both:

    lives    versions of a market's metadata: life, m, market_id, set_no, known_from_us, known_to_us and what is listed
    instants when features are wanted: m, life, as_of_us, horizon_h
    quoted   prices: m, at_us, tie (orders those of one instant), bid, ask, mid, …, spacing_us, stands_us, fresh_us, is_listened
    booked   books: m, at_us, tie (orders those of one instant), bids, asks
    dealt    trades: m, at_us, usd_e6, is_for (the canonical outcome), is_known, copy_of (equal in copies)
    heard    since when trades of a market are known, where its prices do not tell (`is_listened`): m, since_us
    shares   markets that the same streamers carry: share, m (null: all of them are one share)
    alive    when anything was heard of any market of a share: share, first_us of each minute
    deaf     gaps in that: m (null: of all), from_us, to_us

`m` numbers markets; instants are microseconds since 1970 (`…_us`), of receipt or of when it could be known; a price `stands`
for that long.

DuckDB reads the relations and, in the end, evaluates the features' expressions (`rows`). What lies between, the newest of each
as of an instant and sums over windows, is searched and summed in numpy over events in order (`series`): one module for each
relation gives columns that are aligned with the instants.
"""
