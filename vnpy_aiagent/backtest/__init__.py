"""Judging recorded orders, and backtests with the rules of the exchanges."""
