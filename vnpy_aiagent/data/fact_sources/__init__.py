"""Facts from the internet: tables of akshare, tushare and three authorities, as values, events and texts.

rows        cells of a table: numbers, days, codes
dataset     what one row of the table of datasets says
readers     rows into facts
shares, market, industry, tushare_sets, policy      the table of datasets itself
catalogue   all of it, in families: datasets of one family stand in for each other
providers   who is asked: akshare, tushare, the sites
fetch       one family for some subjects: cache, limits, health; facts, or an absence with its reason
keep        what is new of it into the store of facts
collect     all families over a universe; `collector` does it on a timetable
"""
