"""The console: the platform's data and stream in a browser, read-only, and the same as JSON.

app             the application: routes, guards, what an error becomes
place           what an installation has to look at; kept: what was looked at, and when
guards          who may ask, and what a browser may do with the answer
pages parts blocks   a page is a list of parts, a part is blocks, a block is data; rendering makes HTML of them
charting        charts of Vega-Lite in a browser that evaluates no code
monitoring/     health, the stream, tiers, quality
database/       tables of the lake: rows, SQL, downloads
markets/        a market, an event, and how they are found
models/         champion and challengers, the paper portfolio, large orders

docs/console.md says what each page and endpoint shows.
"""
