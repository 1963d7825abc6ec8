"""The fetcher from the settings."""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from threading import Event

import httpx2

from vnpy_aiagent.config import Settings
from vnpy_aiagent.data.fact_sources.fetch import FactFetcher
from vnpy_aiagent.data.fact_sources.providers import (
    SITE_PATIENCE,
    AkshareProvider,
    Provider,
    SiteProvider,
    TushareProvider,
)
from vnpy_aiagent.data.sources.cache import FILE_NAME, AnswerCache
from vnpy_aiagent.data.sources.health import HealthBoard
from vnpy_aiagent.data.sources.limits import RateLimits
from vnpy_aiagent.data.sources.patience import within
from vnpy_aiagent.data.sources.tushare_http import TushareClient
from vnpy_aiagent.domain.clock import Clock
from vnpy_aiagent.errors import KeyStoreError
from vnpy_aiagent.keys import tushare_token
from vnpy_aiagent.market import TradingCalendar

TURN = 120.0
"""Seconds that a request waits for its turn; a collection is in no hurry."""
SITES_PER_MINUTE = 10.0
LARGEST_PAGE = 4_000_000
HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; vnpy_aiagent)", "Referer": "https://www.csrc.gov.cn/"}


def build_providers(settings: Settings) -> dict[str, Provider]:
    """Those that are set up: akshare with its package, Tushare with a token, lists where they are wanted."""
    found: dict[str, Provider] = {}
    akshare = AkshareProvider()
    if "akshare" in settings.data.order and akshare.is_set_up:
        found["akshare"] = akshare
    if "tushare" in settings.data.order:
        tushare = TushareProvider(TushareClient(_token(settings), settings.data.tushare.address))
        if tushare.is_set_up:
            found["tushare"] = tushare
    if found and settings.facts.policies:
        found["site"] = SiteProvider(get_page)
    return found


def build_fetcher(
    settings: Settings,
    folder: Path,
    clock: Clock,
    stopped: Event,
    providers: Mapping[str, Provider] | None = None,
) -> FactFetcher:
    """A fetcher with the app's cache in `folder`; setting `stopped` ends its waits."""
    data = settings.data
    return FactFetcher(
        build_providers(settings) if providers is None else providers,
        clock,
        TradingCalendar(settings.calendar.extra_years_file),
        board=HealthBoard(clock, time.monotonic),
        limits=RateLimits(
            {"akshare": data.limits.akshare, "tushare": data.limits.tushare, "site": SITES_PER_MINUTE},
            time.monotonic,
            stopped.wait,
            TURN,
        ),
        monotonic=time.monotonic,
        cache=AnswerCache(folder / FILE_NAME) if data.cache_days else None,
        cache_days=data.cache_days,
        stopped=stopped,
    )


def get_page(address: str) -> bytes:
    """The body of a page. OSError where there is none."""
    return within(SITE_PATIENCE, partial(_get, address), "fact-sites")


def _get(address: str) -> bytes:
    try:
        with httpx2.Client(timeout=SITE_PATIENCE, follow_redirects=True, headers=HEADERS) as client:
            answer = client.get(address)
    except httpx2.HTTPError as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error
    if answer.status_code != 200:
        raise ConnectionError(f"HTTP {answer.status_code}")
    if len(answer.content) > LARGEST_PAGE:
        raise ConnectionError(f"the page is above {LARGEST_PAGE // 1_000_000} MB")
    return answer.content


def _token(settings: Settings) -> str:
    """The token; empty where the key store refuses, which `aiagent doctor` tells."""
    try:
        return tushare_token(settings)
    except KeyStoreError:
        return ""
