"""Backtest: what forecasts would have earned as a taker on recorded books, after costs (ML.md 4.5).

One engine (`trading`) serves the past and the paper portfolio: `books` finds what an order met, `fills` walks it,
`fees` prices it, `stakes` sizes it, `portfolio` holds the money, `strategies` say who wants what, `results` judge.
"""
