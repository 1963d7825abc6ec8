"""The gateway's settings, ticks, contracts, names and refusals, without a network."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from vnpy.event import Event, EventEngine
from vnpy.trader.constant import Direction, Exchange, OrderType, Product
from vnpy.trader.object import CancelRequest, ContractData, LogData, OrderRequest, SubscribeRequest

from vnpy_aiagent.data.quote_feed import QuoteFeed, Report
from vnpy_aiagent.data.quote_filter import QuoteFilter
from vnpy_aiagent.data.quote_gateway import QuoteGateway
from vnpy_aiagent.data.quote_hours import QuoteHours
from vnpy_aiagent.data.quote_names import load_names, save_names
from vnpy_aiagent.data.quote_pool import SourcePool
from vnpy_aiagent.data.quote_settings import DEFAULTS, read_settings
from vnpy_aiagent.data.quote_sources import SINA, Level, Quote, SourceFailed
from vnpy_aiagent.data.quote_ticks import to_contract, to_tick
from vnpy_aiagent.domain.clock import MARKET_TZ, VirtualClock
from vnpy_aiagent.errors import ConfigError, DataError
from vnpy_aiagent.market import default_calendar

NOW = datetime(2025, 11, 19, 10, 0, 5, tzinfo=MARKET_TZ)
BIDS = tuple(Level(9.99 - n / 100, 100 * (n + 1)) for n in range(5))
ASKS = tuple(Level(10.01 + n / 100, 200 * (n + 1)) for n in range(5))
QUOTE = Quote(
    vt_symbol="600000.SSE",
    source="tencent",
    name="浦发银行",
    at=NOW - timedelta(seconds=3),
    last=10.0,
    open=9.9,
    high=10.1,
    low=9.8,
    prev_close=9.95,
    volume=123_400,
    turnover=1_234_000.5,
    bids=BIDS,
    asks=ASKS,
)


class Recorder(EventEngine):
    """An event engine that keeps what is put and starts no thread."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    def put(self, event: Event) -> None:
        self.events.append(event)

    def logs(self) -> list[LogData]:
        return [event.data for event in self.events if isinstance(event.data, LogData)]

    def contracts(self) -> list[ContractData]:
        return [event.data for event in self.events if isinstance(event.data, ContractData)]


def make_gateway() -> tuple[QuoteGateway, Recorder]:
    events = Recorder()
    gateway = QuoteGateway(events, "QUOTE")
    gateway.clock = VirtualClock(datetime(2025, 11, 22, 10, tzinfo=MARKET_TZ))  # a Saturday: no polls
    return gateway, events


def request(symbol: str, exchange: Exchange) -> SubscribeRequest:
    return SubscribeRequest(symbol=symbol, exchange=exchange)


def test_a_tick_carries_all_figures_and_where_they_are_from() -> None:
    tick = to_tick(QUOTE, "QUOTE", NOW)
    assert (tick.vt_symbol, tick.gateway_name, tick.name) == ("600000.SSE", "QUOTE", "浦发银行")
    assert (tick.datetime, tick.localtime) == (QUOTE.at, NOW)
    assert tick.datetime.tzinfo is MARKET_TZ
    assert (tick.last_price, tick.open_price, tick.high_price, tick.low_price) == (10.0, 9.9, 10.1, 9.8)
    assert (tick.pre_close, tick.volume, tick.turnover) == (9.95, 123_400, 1_234_000.5)
    assert (tick.bid_price_1, tick.bid_volume_1) == (BIDS[0].price, 100)
    assert (tick.bid_price_5, tick.bid_volume_5) == (BIDS[4].price, 500)
    assert (tick.ask_price_1, tick.ask_volume_1) == (ASKS[0].price, 200)
    assert (tick.ask_price_5, tick.ask_volume_5) == (ASKS[4].price, 1000)
    assert tick.extra == {"source": "tencent"}


@pytest.mark.parametrize(
    ("vt_symbol", "name", "down", "up"),
    [
        ("600000.SSE", "浦发银行", 8.96, 10.95),
        ("600000.SSE", "*ST浦发", 9.45, 10.45),
        ("300750.SZSE", "宁德时代", 7.96, 11.94),
        ("920118.BSE", "太湖远大", 6.97, 12.94),
        ("688256.SSE", "N寒武纪", 0, 0),
        ("510300.SSE", "300ETF", 8.955, 10.945),
    ],
)
def test_the_limits_follow_the_rules_of_board_and_name(
    vt_symbol: str, name: str, down: float, up: float
) -> None:
    tick = to_tick(replace(QUOTE, vt_symbol=vt_symbol, name=name), "QUOTE", NOW)
    assert [tick.limit_down, tick.limit_up] == pytest.approx([down, up])


@pytest.mark.parametrize(
    ("vt_symbol", "product", "tick", "volume"),
    [
        ("600000.SSE", Product.EQUITY, 0.01, 100),
        ("688256.SSE", Product.EQUITY, 0.01, 200),
        ("510300.SSE", Product.ETF, 0.001, 100),
    ],
)
def test_a_contract_follows_the_rules(vt_symbol: str, product: Product, tick: float, volume: int) -> None:
    contract = to_contract(vt_symbol, "名称", date(2025, 11, 19), "QUOTE")
    assert (contract.vt_symbol, contract.name) == (vt_symbol, "名称")
    assert (contract.product, contract.pricetick, contract.min_volume) == (product, tick, volume)


def test_the_default_settings_are_allowed() -> None:
    settings = read_settings({})
    assert [source.name for source in settings.sources] == ["sina", "tencent"]
    assert (settings.interval, settings.always, settings.contracts) == (3.0, False, True)
    assert settings == read_settings(DEFAULTS)


def test_sources_are_taken_in_the_order_given() -> None:
    settings = read_settings({"来源": "Tencent， sina", "腾讯地址": "http://127.0.0.1:1/"})
    assert [(source.name, source.base_url) for source in settings.sources] == [
        ("tencent", "http://127.0.0.1:1"),
        ("sina", "https://hq.sinajs.cn"),
    ]


@pytest.mark.parametrize(
    "setting",
    [
        {"刷新秒数": 2.9},
        {"刷新秒数": 61},
        {"刷新秒数": "很快"},
        {"过期秒数": 1},
        {"来源": ""},
        {"来源": "sina,sina"},
        {"来源": "sina,yahoo"},
        {"全天轮询": "也许"},
        {"新浪地址": "file:///etc/passwd"},
        {"刷新": 3},
    ],
)
def test_a_wrong_setting_is_named(setting: dict[str, str | int | float | bool]) -> None:
    with pytest.raises(ConfigError, match=next(iter(setting))):
        read_settings(setting)


def test_a_wrong_setting_leaves_the_gateway_unconnected() -> None:
    gateway, events = make_gateway()
    gateway.connect({"刷新秒数": 1})
    (log,) = events.logs()
    assert log.level == logging.ERROR
    assert "刷新秒数" in log.msg
    gateway.close()


def test_names_survive_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "names.json"
    assert load_names(path) == {}
    save_names(path, {"600000.SSE": "浦发银行"})
    assert load_names(path) == {"600000.SSE": "浦发银行"}
    assert "浦发银行" in path.read_text(encoding="utf-8")
    assert [item.name for item in path.parent.iterdir()] == ["names.json"]


@pytest.mark.parametrize("content", ["{", "[]", '{"600000.SSE": 1}'])
def test_a_broken_file_of_names_says_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "names.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="请删除该文件"):
        load_names(path)


def test_a_start_without_network_announces_the_contracts_it_knows(tmp_path: Path) -> None:
    save_names(tmp_path / "quote_names.json", {"600000.SSE": "浦发银行", "510300.SSE": "300ETF"})
    gateway, events = make_gateway()
    gateway.subscribe(request("600000", Exchange.SSE))
    gateway.connect({"缓存文件夹": str(tmp_path)})
    gateway.subscribe(request("510300", Exchange.SSE))
    gateway.subscribe(request("000001", Exchange.SZSE))
    gateway.close()
    assert [(c.vt_symbol, c.name) for c in events.contracts()] == [
        ("600000.SSE", "浦发银行"),
        ("510300.SSE", "300ETF"),
    ]


def test_a_connected_gateway_stops_publishing_contracts_when_another_takes_them_over(tmp_path: Path) -> None:
    save_names(tmp_path / "quote_names.json", {"600000.SSE": "浦发银行", "510300.SSE": "沪深300ETF"})
    gateway, events = make_gateway()
    gateway.connect({"缓存文件夹": str(tmp_path)})
    gateway.subscribe(request("600000", Exchange.SSE))
    gateway.publishes = False
    gateway.subscribe(request("510300", Exchange.SSE))
    gateway.close()
    assert [contract.vt_symbol for contract in events.contracts()] == ["600000.SSE"]


def test_contracts_can_be_left_to_another_gateway(tmp_path: Path) -> None:
    save_names(tmp_path / "quote_names.json", {"600000.SSE": "浦发银行"})
    gateway, events = make_gateway()
    gateway.subscribe(request("600000", Exchange.SSE))
    gateway.connect({"缓存文件夹": str(tmp_path), "发布合约": "否"})
    gateway.close()
    assert events.contracts() == []
    assert gateway.names == {"600000.SSE": "浦发银行"}


@pytest.mark.parametrize(
    ("symbol", "exchange"),
    [("000300", Exchange.SSE), ("113050", Exchange.SSE), ("IF2512", Exchange.CFFEX), ("9999", Exchange.SSE)],
)
def test_what_has_no_share_rules_is_not_subscribed(symbol: str, exchange: Exchange) -> None:
    gateway, events = make_gateway()
    gateway.subscribe(request(symbol, exchange))
    assert [log.msg.startswith(f"未订阅 {symbol}") for log in events.logs()] == [True]


def test_futures_are_sent_to_a_futures_gateway() -> None:
    gateway, events = make_gateway()
    gateway.subscribe(request("IF2512", Exchange.CFFEX))
    assert "免费行情没有期货" in events.logs()[0].msg
    assert "CTP" in events.logs()[0].msg


def test_orders_are_refused_in_the_log() -> None:
    gateway, events = make_gateway()
    order = OrderRequest(
        symbol="600000",
        exchange=Exchange.SSE,
        direction=Direction.LONG,
        type=OrderType.LIMIT,
        volume=100,
        price=10.0,
    )
    assert gateway.send_order(order) == ""
    gateway.cancel_order(CancelRequest(orderid="7", symbol="600000", exchange=Exchange.SSE))
    assert ["行情接口不能下单" in log.msg for log in events.logs()] == [True, True]


class Service:
    """Sina with one symbol whose time and price a test sets."""

    def __init__(self) -> None:
        self.at: datetime | None = NOW
        self.volume = 1_000

    def fetch(self, url: str, headers: Mapping[str, str]) -> bytes:
        if self.at is None:
            raise SourceFailed("连接失败")
        row = f"浦发银行,10,9.95,10,10.1,9.8,10,10.01,{self.volume},10000,{'100,10,' * 10}"
        return f'var hq_str_sh600000="{row}{self.at:%Y-%m-%d,%H:%M:%S},00";'.encode("gbk")


class Watch:
    """A feed over the service, polled at moments of the test's choice."""

    def __init__(self) -> None:
        self.service = Service()
        self.seconds = 0.0
        pool = SourcePool((SINA,), self.service.fetch, lambda: self.seconds, Random(7))
        self.feed = QuoteFeed(pool, QuoteFilter(timedelta(seconds=60)))

    def poll(self, now: datetime) -> Report:
        self.seconds += 100.0
        session = QuoteHours(default_calendar()).session(now)
        assert session is not None
        return self.feed.poll(["600000.SSE"], session)


def texts(report: Report) -> list[str]:
    return [line.text.partition("：")[0] for line in report.lines]


def test_a_stale_quote_is_told_once_and_its_end_too() -> None:
    watch = Watch()
    assert texts(watch.poll(NOW)) == ["行情来源"]
    first, second = watch.poll(NOW + timedelta(minutes=2)), watch.poll(NOW + timedelta(minutes=3))
    assert (first.fresh, second.fresh) == ((), ())
    assert (texts(first), texts(second)) == (["行情过期"], [])
    watch.service.at = NOW + timedelta(minutes=4)
    after = watch.poll(NOW + timedelta(minutes=4))
    assert (len(after.fresh), texts(after)) == (1, ["行情恢复"])


def test_a_suspended_share_is_told_once_and_still_named() -> None:
    watch = Watch()
    watch.service.volume = 0
    first, second = watch.poll(NOW), watch.poll(NOW)
    assert (first.fresh, first.names) == ((), {"600000.SSE": "浦发银行"})
    assert (texts(first), texts(second)) == (["行情来源", "停牌或尚无成交"], [])


def test_before_the_open_no_share_is_called_suspended() -> None:
    watch = Watch()
    watch.service.volume = 0
    assert texts(watch.poll(NOW.replace(hour=9, minute=20))) == ["行情来源"]


def test_a_source_that_stays_away_is_told_once_until_it_is_back() -> None:
    watch = Watch()
    watch.service.at = None
    first, *later = [texts(watch.poll(NOW)) for _ in range(4)]
    assert [line[:6] for line in first] == ["新浪行情失败", "没有可用的行"]
    assert later == [[], [], []]
    watch.service.at = NOW
    assert texts(watch.poll(NOW)) == ["行情来源"]
    watch.service.at = None
    assert texts(watch.poll(NOW))[0] == "新浪行情失败", "the next outage is told again"


def test_the_loss_of_every_source_and_its_end_are_told() -> None:
    watch = Watch()
    watch.service.at = None
    lost = watch.poll(NOW)
    assert [line.level for line in lost.lines] == [logging.WARNING, logging.ERROR]
    assert "秒后重试；请检查网络" in lost.lines[1].text
    watch.service.at = NOW
    assert texts(watch.poll(NOW)) == ["行情来源"]
