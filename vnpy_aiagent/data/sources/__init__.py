"""Where bars come from: sources in order of preference, their health, limits, cache, and what is absent.

`absence`, `health`, `limits`, `cache`, `patience` and `tushare_http` know nothing of bars and serve other
data as well.
"""
