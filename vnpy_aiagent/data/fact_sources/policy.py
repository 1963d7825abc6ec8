"""Policy texts of three authorities, and which Shenwan industries their topics touch.

    csrc    China Securities Regulatory Commission: the JSON list behind its news page, with whole texts
    pbc     People's Bank of China: the HTML list of its news page; titles
    ndrc    National Development and Reform Commission: the HTML list of its releases; titles

A text is a fact of the market (A.MARKET) and of the industries whose words stand in its cleaned title, or at
least twice in its cleaned body. It never names a symbol. The table of topics is code: no text adds to it.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial

from vnpy_aiagent.data.fact_sources.dataset import Ask, Call, Dataset, Found, Known, Scope, Tables
from vnpy_aiagent.data.fact_sources.readers import Tally
from vnpy_aiagent.data.fact_sources.rows import BadCell, Row, moment, words
from vnpy_aiagent.data.fact_sources.texts import text
from vnpy_aiagent.data.facts import MARKET_SUBJECT
from vnpy_aiagent.data.text_clean import clean_text

TOPICS: Mapping[str, tuple[int, ...]] = {
    "上市公司": (), "资本市场": (801790,), "证券公司": (801790,), "证券基金": (801790,),
    "期货市场": (801790,), "公募基金": (801790,), "保险资金": (801790,),
    "存款准备金": (801780, 801180), "贷款市场报价利率": (801780, 801180), "商业银行": (801780,),
    "房地产": (801180, 801710, 801720), "住房": (801180,), "城市更新": (801180, 801720),
    "保障性住房": (801180, 801720), "基础设施": (801720, 801710, 801890), "专项债": (801720,),
    "新能源汽车": (801880, 801730), "汽车以旧换新": (801880,), "充电": (801730, 801880),
    "家电": (801110,), "以旧换新": (801110, 801880), "设备更新": (801890,),
    "光伏": (801730,), "风电": (801730,), "储能": (801730,), "电池": (801730,), "电力": (801160,),
    "电价": (801160,), "煤炭": (801950,), "石油": (801960,), "天然气": (801960, 801160),
    "成品油": (801960,), "钢铁": (801040,), "有色金属": (801050,), "稀土": (801050,),
    "集成电路": (801080,), "半导体": (801080,), "人工智能": (801750, 801770), "算力": (801750, 801770),
    "数据要素": (801750,), "数字经济": (801750, 801770), "5G": (801770,), "6G": (801770,),
    "低空经济": (801740, 801890), "商业航天": (801740,), "国防": (801740,),
    "医疗": (801150,), "医药": (801150,), "药品": (801150,), "医保": (801150,),
    "粮食": (801010,), "种业": (801010,), "生猪": (801010,), "农业": (801010,),
    "白酒": (801120,), "食品": (801120,), "旅游": (801210,), "养老": (801150, 801210),
    "零售": (801200,), "物流": (801170,), "港口": (801170,), "航空": (801170, 801740),
    "铁路": (801170, 801720), "环保": (801970,), "碳排放": (801970, 801160, 801040),
    "游戏": (801760,), "影视": (801760,), "化工": (801030,), "化肥": (801030, 801010),
}  # fmt: skip
"""A word of policies to the level-1 industries that it touches; empty: the market alone.

Last gone through against the Shenwan classification of 2021 on 2026-11-01.
"""
MOST_INDUSTRIES = 4
IN_BODY = 2
MONTH = timedelta(days=30)
READ = 2_000
"""Letters of a text that are looked at for topics."""


def industries_of(title: str, body: str) -> tuple[str, ...]:
    """Subjects of the industries that a text touches, those of its title first, at most MOST_INDUSTRIES."""
    head, rest = clean_text(title, READ), clean_text(body, READ)
    in_title = [word for word in TOPICS if word in head]
    in_body = [word for word in TOPICS if word not in in_title and rest.count(word) >= IN_BODY]
    codes = dict.fromkeys(code for word in (*in_title, *in_body) for code in TOPICS[word])
    return tuple(f"{code}.SWS" for code in codes)[:MOST_INDUSTRIES]


def _read(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    yield from Tally(dataset).read(tables[0], partial(_texts, ask=ask, dataset=dataset))


def _texts(row: Row, ask: Ask, dataset: Dataset) -> Iterator[Found | None]:
    title, body, at = words(row, "title"), words(row, "body"), moment(row, "published")
    if at is None or not title:
        raise BadCell("a policy text has no title or no time")
    if at < ask.seen - MONTH:
        return
    for subject in (MARKET_SUBJECT, *industries_of(title, body)):
        yield text(subject, "policy", title, body, at, dataset.source)


def _site(name: str, note: str) -> Dataset:
    return Dataset(
        name=f"policy_{name}",
        source=name,
        provider="site",
        scope=Scope.MARKET,
        calls=(Call(name, {"title": "", "published": "", "body": "", "url": ""}),),
        gives=("policy",),
        known=Known.STATED,
        read=_read,
        fresh=timedelta(hours=2),
        optional=("policy",),
        note=note,
    )


CSRC = _site("csrc", "the time on the list counts; whole texts")
PBC = _site("pbc", "the time in the address counts; titles")
NDRC = _site("ndrc", "the day on the list counts as its end; titles")


def _read_npr(tables: Tables, ask: Ask, dataset: Dataset) -> Iterator[Found]:
    rows = [
        {"title": row["title"], "published": row["pubtime"], "body": row["content_html"] or ""}
        for row in tables[0]
    ]
    yield from _read([rows], ask, dataset)


def _last_month(ask: Ask) -> list[dict[str, str]]:
    return [{"start_date": f"{ask.now - MONTH:%Y-%m-%d %H:%M:%S}"}]


NPR = Dataset(
    name="tushare_npr",
    source="npr",
    provider="tushare",
    scope=Scope.MARKET,
    calls=(Call("npr", {"pubtime": "", "title": "", "content_html": "", "puborg": ""}, _last_month),),
    gives=("policy",),
    known=Known.STATED,
    read=_read_npr,
    fresh=timedelta(hours=8),
    optional=("policy",),
    note="the State Council's texts; Tushare wants a right of its own for it",
)
