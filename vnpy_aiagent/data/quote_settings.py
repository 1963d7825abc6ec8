"""The quote gateway's settings, as vnpy's connect dialog and connect_quote.json hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from vnpy_aiagent.data.quote_sources import SOURCES, QuoteSource
from vnpy_aiagent.errors import ConfigError

Raw = Mapping[str, str | int | float | bool]

INTERVAL, ORDER, MAX_AGE = "刷新秒数", "来源", "过期秒数"
ALWAYS, CONTRACTS, FOLDER = "全天轮询", "发布合约", "缓存文件夹"
ADDRESSES = {"新浪地址": "sina", "腾讯地址": "tencent"}

DEFAULTS: dict[str, str | int | float | bool] = {
    INTERVAL: 3,
    ORDER: "sina,tencent",
    MAX_AGE: 60,
    ALWAYS: "否",
    CONTRACTS: "是",
    FOLDER: "",
    **{key: SOURCES[name].base_url for key, name in ADDRESSES.items()},
}
SHORTEST_INTERVAL, LONGEST_INTERVAL = 3.0, 60.0  # seconds
SHORTEST_AGE, LONGEST_AGE = 5.0, 600.0  # seconds

_YES_NO = {"是": True, "否": False, "true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class QuoteSettings:
    """Checked settings. `interval` in seconds; `folder` None means vnpy's own for this app."""

    interval: float
    sources: tuple[QuoteSource, ...]
    max_age: timedelta
    always: bool
    contracts: bool
    folder: Path | None


def read_settings(raw: Raw, shortest_interval: float = SHORTEST_INTERVAL) -> QuoteSettings:
    """Settings from vnpy's dict; what is missing takes its default. ConfigError for what is not allowed."""
    if unknown := sorted(set(raw) - set(DEFAULTS)):
        raise ConfigError(f"行情接口没有设置项 {unknown[0]!r}；可用的有 {'、'.join(DEFAULTS)}")
    values = {**DEFAULTS, **raw}
    folder = str(values[FOLDER]).strip()
    return QuoteSettings(
        interval=_seconds(values, INTERVAL, shortest_interval, LONGEST_INTERVAL),
        sources=_sources(values),
        max_age=timedelta(seconds=_seconds(values, MAX_AGE, SHORTEST_AGE, LONGEST_AGE)),
        always=_flag(values, ALWAYS),
        contracts=_flag(values, CONTRACTS),
        folder=Path(folder) if folder else None,
    )


def _seconds(values: Raw, key: str, low: float, high: float) -> float:
    try:
        seconds = float(values[key])
    except ValueError:
        seconds = float("nan")
    if not low <= seconds <= high:
        raise ConfigError(f"设置项“{key}”应在 {low:g} 至 {high:g} 之间，现为 {values[key]!r}；请修改")
    return seconds


def _flag(values: Raw, key: str) -> bool:
    """vnpy's dialog turns any text of a bool field into True, so the field is text."""
    flag = _YES_NO.get(str(values[key]).strip().lower())
    if flag is None:
        raise ConfigError(f"设置项“{key}”应为“是”或“否”，现为 {values[key]!r}；请修改")
    return flag


def _sources(values: Raw) -> tuple[QuoteSource, ...]:
    names = [name.strip().lower() for name in str(values[ORDER]).replace("，", ",").split(",")]
    if not set(names) <= set(SOURCES) or len(set(names)) < len(names):
        raise ConfigError(
            f"设置项“{ORDER}”应为 {'、'.join(SOURCES)} 中的一个或几个，按优先顺序以逗号分隔，"
            f"现为 {values[ORDER]!r}；请修改"
        )
    addresses = {name: _address(values, key) for key, name in ADDRESSES.items()}
    return tuple(SOURCES[name].at(addresses[name]) for name in names)


def _address(values: Raw, key: str) -> str:
    address = str(values[key]).strip()
    if not address.startswith(("http://", "https://")):
        raise ConfigError(f"设置项“{key}”应以 http:// 或 https:// 开头，现为 {address!r}；请修改")
    return address
