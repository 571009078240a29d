"""A market or an event as one page to look at: what was recorded, what was not, and how it is known to have ended.

    python -m polymarket_assets.report market <slug or id>

Reads the lake and nothing else; the page needs no network either. Charts are Vega-Lite by Altair.
"""
