"""Every kind of message that a journal holds says in words what it is, in both languages."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from vnpy_aiagent.domain import (
    MARKET_TZ,
    MESSAGE_TYPES,
    AccountChecked,
    AgentStatus,
    Algo,
    CancelAsked,
    CashAdjusted,
    ClosingPrices,
    CorporateActionApplied,
    DividendTaxTaken,
    ExecutionReport,
    HoldingAdjusted,
    Message,
    ParentState,
    ReferenceShifted,
    SettledBy,
    Settlement,
    Side,
    say,
)
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.describe import describe
from vnpy_aiagent.report.kinds import words

DAY = date(2026, 7, 7)
WHO = {"id": "m-1", "at": datetime(2026, 7, 7, 9, 30, tzinfo=MARKET_TZ), "account": "judge"}
BANK, CONTRACT = "600036.SSE", "IF2607.CFFEX"

SAID: list[tuple[Message, str, str]] = [
    (
        CorporateActionApplied(
            **WHO,
            symbol=BANK,
            ex_date=DAY,
            bonus=Decimal("0.3"),
            cash=Decimal("0.2"),
            rights=Decimal("0.1"),
            rights_price=Decimal("8.5"),
            booked=True,
            shares=300,
            amount=Decimal(200),
            tick=Decimal("0.01"),
        ),
        "除权除息: 600036.SSE 除权日 2026-07-07：每股税前派息 0.2 元，每股送转 0.3 股，"
        "每股配股 0.1 股（配股价 8.5 元）；入账 300 股、200.00 元",
        "Ex-day: 600036.SSE ex-day 2026-07-07: 0.2 CNY a share before tax, 0.3 new shares a share, "
        "rights to 0.1 shares a share (at 8.5 CNY)；booked: 300 shares, 200.00 CNY",
    ),
    (
        CorporateActionApplied(
            **WHO,
            symbol=BANK,
            ex_date=DAY,
            bonus=Decimal(0),
            cash=Decimal("0.2"),
            booked=False,
            shares=0,
            amount=Decimal(0),
            tick=Decimal("0.01"),
        ),
        "除权除息: 600036.SSE 除权日 2026-07-07：每股税前派息 0.2 元，每股送转 0 股；"
        "股数和现金以柜台为准，账本未变",
        "Ex-day: 600036.SSE ex-day 2026-07-07: 0.2 CNY a share before tax, 0 new shares a share；"
        "shares and cash are what the broker says, the book did not change",
    ),
    (
        ReferenceShifted(
            **WHO,
            symbol=BANK,
            day=DAY,
            close=Decimal(40),
            reference=Decimal(38),
            tick=Decimal("0.01"),
        ),
        "疑似除权除息: 600036.SSE 2026-07-07 昨日收盘 40，参考价 38：止损和触发价同比例调整",
        "Unknown ex-day: 600036.SSE 2026-07-07: close of the day before 40, reference price 38: "
        "stop and triggers moved in proportion",
    ),
    (
        DividendTaxTaken(**WHO, symbol=BANK, fill_id="f-1", amount=Decimal("40")),
        "红利税: 600036.SSE 卖出时补缴红利税 40.00 元",
        "Dividend tax: 600036.SSE: the sale made 40.00 CNY of dividend tax due",
    ),
    (
        ClosingPrices(**WHO, day=DAY, prices={BANK: Decimal("38.5")}),
        "持仓收盘价: 2026-07-07: 600036.SSE 38.5",
        "Closing prices of holdings: 2026-07-07: 600036.SSE 38.5",
    ),
    (
        HoldingAdjusted(
            **WHO,
            symbol=BANK,
            volume=-200,
            external=0,
            price=Decimal(38),
            gateway="XTP",
            reason=say("与柜台持仓不一致，以柜台为准"),
        ),
        "持仓按柜台调整: 600036.SSE -200 股（其中外部持仓 +0），价格 38，接口 XTP；"
        "与柜台持仓不一致，以柜台为准",
        "Holding set by the broker: 600036.SSE -200 shares (+0 of it external), price 38, gateway XTP；"
        "the broker's holding differs, and is right",
    ),
    (
        CashAdjusted(
            **WHO, amount=Decimal("-12.5"), gateway="XTP", reason=say("与柜台资金不一致，以柜台为准")
        ),
        "资金按柜台调整: -12.50 元，接口 XTP；与柜台资金不一致，以柜台为准",
        "Cash set by the broker: -12.50 CNY, gateway XTP；the broker's cash differs, and is right",
    ),
    (
        AccountChecked(**WHO, gateway="XTP", reconciled=True, reason=say("已与柜台核对一致")),
        "柜台核对: XTP 一致，可以下单；已与柜台核对一致",
        "Broker check: XTP agrees, orders may be sent；agrees with the broker",
    ),
    (
        CancelAsked(**WHO, intent_id="i-1", parent_id="p-1", vt_orderids=("XTP.7",), reason=say("信号到期")),
        "请求撤单: XTP.7: 信号到期",
        "Cancel asked: XTP.7: the signal ended",
    ),
    (
        Settlement(
            **WHO,
            symbol=CONTRACT,
            trading_day=DAY,
            price=Decimal(3900),
            basis=SettledBy.CLOSE,
            volume=1,
            profit=Decimal(-600),
        ),
        "期货结算: IF2607.CFFEX 2026-07-07 按 3900 结算 1 手，盈亏 -600.00 元计入现金；"
        "未知结算价，以当日最后价代替",
        "Settlement: IF2607.CFFEX on 2026-07-07: 1 contracts settled at 3900, -600.00 CNY moved into cash；"
        "the settlement price is not known, the day's last price stands in",
    ),
    (
        ExecutionReport(
            **WHO,
            parent_id="p-1",
            signal_id="s-1",
            symbol=BANK,
            side=Side.BUY,
            algo=Algo.TWAP,
            state=ParentState.DONE_PARTIAL,
            volume=1000,
            filled=600,
            arrival=Decimal(38),
            average_price=Decimal("38.19"),
            slippage=0.005,
            fill_rate=0.6,
            first_fill=2.0,
            last_fill=61.0,
            children=3,
            cancels=1,
            reason=say("信号到期"),
        ),
        "执行质量: 时间均分，成交 600/1000 股，子单 3 笔，撤单 1 笔，"
        "到达价 38，滑点 +0.50%，首笔成交 2 秒；信号到期",
        "Execution: TWAP, filled 600 of 1000 shares, 3 orders, 1 cancelled, arrival price 38, "
        "slippage +0.50%, first fill after 2 s；the signal ended",
    ),
]


def test_every_kind_that_a_journal_holds_has_words_of_its_own() -> None:
    bare = [name for name, kind in MESSAGE_TYPES.items() if words.dispatch(kind) is words.dispatch(Message)]
    assert bare == [AgentStatus.kind], "AgentStatus decides nothing and is left out of reports"


@pytest.mark.parametrize(("message", "chinese", "english"), SAID, ids=[each.kind for each, _, _ in SAID])
def test_a_change_of_the_books_reads_as_a_sentence_in_both_languages(
    message: Message, chinese: str, english: str
) -> None:
    assert sentence(message, "zh") == chinese
    assert sentence(message, "en") == english


def sentence(message: Message, language: str) -> str:
    """Label, text and details in one line."""
    line = describe(message, Localizer("zh" if language == "zh" else "en"))
    return "；".join((f"{line.label}: {line.text}", *line.details))
