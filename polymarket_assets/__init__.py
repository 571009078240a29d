"""Polymarket as data assets: collected, labelled, turned into features, modelled against the price.

`from polymarket_assets import lake` and `lake.connect()` are all a notebook needs.
"""
