"""Paper trading: portfolios that trade stored predictions by the engine of the backtest, settled by what is seen to resolve.

paper.trade(lake, now=…)      decide, fill and settle what is new
paper.portfolio(lake, now=…)  how each portfolio stands
paper.edges(lake, now=…, least=…)  what is offered for less than it is believed to be worth
"""

from __future__ import annotations

from polymarket_assets.learning.paper.finding import Edge, edges
from polymarket_assets.learning.paper.standing import Standing, portfolio
from polymarket_assets.learning.paper.trading import Traded, trade

__all__ = ["Edge", "Standing", "Traded", "edges", "portfolio", "trade"]
