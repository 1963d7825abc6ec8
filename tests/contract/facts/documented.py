# ruff: noqa: E501 - tables are read best in long lines
"""Tables as akshare 1.19.5 documents them (docs/data/…, its own source): all columns, a row or two each.

Figures are made up but of the documented size and unit. `FakeAkshare` has the functions with their real
parameters, and may be told to change or break one.
"""

from datetime import date
from typing import Any

import pandas as pd

SIGNATURES: dict[str, tuple[str, ...]] = {
    "stock_industry_clf_hist_sw": (),
    "stock_yjbb_em": ("date",),
    "stock_financial_analysis_indicator_em": ("symbol", "indicator"),
    "stock_zcfz_em": ("date",),
    "stock_xjll_em": ("date",),
    "stock_sy_em": ("date",),
    "stock_value_em": ("symbol",),
    "stock_institute_hold": ("symbol",),
    "stock_hsgt_individual_em": ("symbol",),
    "stock_gpzy_pledge_ratio_em": ("date",),
    "stock_restricted_release_detail_em": ("start_date", "end_date"),
    "stock_margin_detail_sse": ("date",),
    "stock_margin_detail_szse": ("date",),
    "stock_individual_fund_flow": ("stock", "market"),
    "stock_yysj_em": ("symbol", "date"),
    "stock_yjyg_em": ("date",),
    "stock_fhps_em": ("date",),
    "stock_tfp_em": ("date",),
    "stock_market_activity_legu": (),
    "stock_zt_pool_em": ("date",),
    "stock_zt_pool_dtgc_em": ("date",),
    "stock_sse_deal_daily": ("date",),
    "stock_szse_summary": ("date",),
    "stock_margin_sse": ("start_date", "end_date"),
    "stock_margin_szse": ("date",),
    "index_option_50etf_qvix": (),
    "index_option_300etf_qvix": (),
    "stock_hsgt_hist_em": ("symbol",),
    "macro_china_lpr": (),
    "macro_china_shibor_all": (),
    "rate_interbank": ("market", "symbol", "indicator"),
    "macro_china_reserve_requirement_ratio": (),
    "index_analysis_daily_sw": ("symbol", "start_date", "end_date"),
    "stock_news_em": ("symbol",),
    "stock_individual_notice_report": ("security", "symbol", "begin_date", "end_date"),
}
NAN = float("nan")
D = date


def table(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    """A frame; columns are named in one line."""
    return pd.DataFrame(list(rows), columns=columns.split())


def sw_closes() -> pd.DataFrame:
    """申万 level-1 daily analysis of two industries over 30 sessions, climbing one part in a thousand a day."""
    days = [
        day.date()
        for day in pd.bdate_range("2025-09-15", "2025-11-03")
        if not D(2025, 10, 1) <= day.date() <= D(2025, 10, 8)
    ]
    rows = [
        (code, name, day, 4000 * 1.001**step, 61.2, 0.35, 1.1, pe, pb, 10.5, 3.2, 900.0, 40.0, 5.0)
        for code, name, pe, pb in (("801780", "银行", 6.2, 0.61), ("801120", "食品饮料", 21.5, 4.4))
        for step, day in enumerate(days)
    ]
    return table(
        "指数代码 指数名称 发布日期 收盘指数 成交量 涨跌幅 换手率 市盈率 市净率 均价 成交额占比 流通市值"
        " 平均流通市值 股息率",
        *rows,
    )


def _quarter(new: pd.DataFrame, old: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"20250930": new, "20250630": old}


_YJBB = (
    "序号 股票代码 股票简称 每股收益 营业总收入-营业总收入 营业总收入-同比增长 营业总收入-季度环比增长 净利润-净利润"
    " 净利润-同比增长 净利润-季度环比增长 每股净资产 净资产收益率 每股经营现金流量 销售毛利率 所处行业 最新公告日期"
)
_REPORT = (1.0e11, 6.5, 2.0, 6.4e10, 6.2, 1.5, 190.5, 24.6, 30.1, 91.3, "白酒", D(2025, 10, 30))
_BANK = (1.0e11, -9.8, 1.0, 3.8e10, -3.5, 1.2, 22.1, 8.3, 4.0, NAN, "银行", D(2025, 10, 25))
_OLDER = (9.1e10, 9.1, 2.0, 4.5e10, 8.9, 1.5, 180.0, 17.9, 20.1, 91.5, "白酒", D(2025, 8, 13))
_BALANCE = (
    "序号 股票代码 股票简称 资产-货币资金 资产-应收账款 资产-存货 资产-总资产 资产-总资产同比 负债-应付账款"
    " 负债-预收账款 负债-总负债 负债-总负债同比 资产负债率 股东权益合计 公告日期"
)


def _balance(code: str, ratio: float, on: date) -> tuple[Any, ...]:
    return (1, code, "x", 5e10, 1e8, 5e10, 3.0e11, 2.0, 1e9, 1e8, 4e10, 1.0, ratio, 2.6e11, on)


TABLES: dict[str, Any] = {
    "stock_industry_clf_hist_sw": table(
        "symbol start_date industry_code update_time",
        ("600519", D(2001, 8, 27), "340301", D(2015, 10, 27)),
        ("600519", D(2021, 7, 30), "340501", D(2021, 7, 31)),
        ("000001", D(2021, 7, 30), "480301", D(2021, 7, 31)),
        *((f"6000{n:02d}", D(2021, 7, 30), "480301", D(2021, 7, 31)) for n in range(10, 16)),
    ),
    "stock_yjbb_em": _quarter(
        table(
            _YJBB,
            (1, "600519", "贵州茅台", 51.5, *_REPORT),
            (2, "000001", "平安银行", 1.87, *_BANK),
            *(
                (3, f"6000{n:02d}", "x", 1.0, 1e9, 1.0, 1.0, 1e8, 1.0, 1.0, 9.0, 1.0 * n, 1.0, NAN, "银行",
                 D(2025, 10, 29))
                for n in range(10, 16)
            ),
            (9, "900948", "伊泰B股", 1.0, 1e9, 1.0, 1.0, 1e8, 1.0, 1.0, 9.0, 9.0, 1.0, 9.0, "煤炭",
             D(2025, 10, 29)),
        ),
        table(_YJBB, (1, "600519", "贵州茅台", 36.2, *_OLDER)),
    ),
    "stock_financial_analysis_indicator_em": table(
        "SECUCODE SECURITY_CODE REPORT_DATE NOTICE_DATE UPDATE_DATE EPSJB BPS TOTALOPERATEREVE PARENTNETPROFIT"
        " TOTALOPERATEREVETZ PARENTNETPROFITTZ ROEJQ XSMLL ZCFZL",
        ("600519.SH", "600519", "2025-09-30 00:00:00", "2025-10-30 00:00:00", "2025-10-30 00:00:00", 51.5,
         190.5, 1.0e11, 6.4e10, 6.5, 6.2, 24.6, 91.3, 13.2),
    ),
    "stock_zcfz_em": _quarter(
        table(
            _BALANCE,
            _balance("600519", 13.2, D(2025, 10, 30)),
            _balance("000001", 91.1, D(2025, 10, 25)),
            *(_balance(f"6000{n:02d}", 90.0 + n / 10, D(2025, 10, 29)) for n in range(10, 16)),
        ),
        table(_BALANCE, _balance("600519", 14.0, D(2025, 8, 13))),
    ),
    "stock_xjll_em": table(
        "序号 股票代码 股票简称 净现金流-净现金流 净现金流-同比增长 经营性现金流-现金流量净额 经营性现金流-净现金流占比"
        " 投资性现金流-现金流量净额 投资性现金流-净现金流占比 融资性现金流-现金流量净额 融资性现金流-净现金流占比 公告日期",
        (1, "600519", "贵州茅台", 1e10, 5.0, 3.82e10, 80.0, -1e9, 2.0, -2e10, 40.0, D(2025, 10, 30)),
        (2, "000001", "平安银行", 1e10, 5.0, 9.0e10, 80.0, -1e9, 2.0, -2e10, 40.0, D(2025, 10, 25)),
    ),
    "stock_sy_em": {"20250930": table(
        "序号 股票代码 股票简称 商誉 商誉占净资产比例 净利润 净利润同比 上年商誉 公告日期 交易市场",
        (1, "000001", "平安银行", 7.568e9, 0.0152, 3.8e10, -0.035, 7.568e9, D(2025, 10, 25), "深市主板"),
    )},
    "stock_value_em": table(
        "数据日期 当日收盘价 当日涨跌幅 总市值 流通市值 总股本 流通股本 PE(TTM) PE(静) 市净率 PEG值 市现率 市销率",
        (D(2025, 10, 31), 1430.0, 0.1, 1.79e12, 1.79e12, 1.252e9, 1.252e9, 19.9, 20.8, 7.0, 1.2, 20.1, 10.1),
        (D(2025, 11, 3), 1435.0, 0.3, 1.797e12, 1.797e12, 1.252e9, 1.252e9, 20.01, 20.9, 7.05, 1.2, 20.2, 10.15),
    ),
    "stock_institute_hold": table(
        "证券代码 证券简称 机构数 机构数变化 持股比例 持股比例增幅 占流通股比例 占流通股比例增幅",
        ("600519", "贵州茅台", 1201, -35, 71.2, 0.3, 71.2, 0.3),
        ("000001", "平安银行", 310, 12, 66.4, -0.2, 66.4, -0.2),
    ),
    "stock_hsgt_individual_em": table(
        "持股日期 当日收盘价 当日涨跌幅 持股数量 持股市值 持股数量占A股百分比 今日增持股数 今日增持资金 今日持股市值变化",
        (D(2025, 6, 30), 1409.0, 0.2, 6.1e7, 8.6e10, 4.87, NAN, NAN, NAN),
        (D(2025, 9, 30), 1444.0, 0.2, 6.0e7, 8.7e10, 4.79, NAN, NAN, NAN),
    ),
    "stock_gpzy_pledge_ratio_em": {"20251031": table(
        "序号 股票代码 股票简称 交易日期 所属行业 质押比例 质押股数 质押市值 质押笔数 无限售股质押数 限售股质押数"
        " 近一年涨跌幅 所属行业代码",
        (1, "000001", "平安银行", D(2025, 10, 31), "银行", 0.01, 230.5, 2627.7, 3, 230.5, 0.0, 5.1, "016029"),
    )},
    "stock_restricted_release_detail_em": table(
        "序号 股票代码 股票简称 解禁时间 限售股类型 解禁数量 实际解禁数量 实际解禁市值 占解禁前流通市值比例"
        " 解禁前一交易日收盘价 解禁前20日涨跌幅 解禁后20日涨跌幅",
        (1, "000001", "平安银行", D(2025, 12, 8), "定向增发机构配售股份", 3.1e7, 3.0e7, 3.5e8, 0.2, 11.4, NAN, NAN),
        (2, "000001", "平安银行", D(2025, 12, 8), "股权激励限售股份", 1.0e6, 1.0e6, 1.1e7, 0.0, 11.4, NAN, NAN),
        (3, "300750", "宁德时代", D(2025, 12, 9), "首发原股东限售股份", 5.0e8, 5.0e8, 1e11, 9.0, 300.0, NAN, NAN),
    ),
    "stock_margin_detail_sse": table(
        "信用交易日期 标的证券代码 标的证券简称 融资余额 融资买入额 融资偿还额 融券余量 融券卖出量 融券偿还量",
        ("20251031", "600519", "贵州茅台", 1.789e10, 4.1e8, 3.9e8, 41800, 1200, 900),
        ("20251031", "510300", "沪深300ETF", 5.1e9, 1e8, 1e8, 1e6, 1e5, 1e5),
    ),
    "stock_margin_detail_szse": table(
        "证券代码 证券简称 融资买入额 融资余额 融券卖出量 融券余量 融券余额 融资融券余额",
        ("000001", "平安银行", 2.1e8, 5.31e9, 120000, 1.9e6, 2.166e7, 5.332e9),
    ),
    "stock_individual_fund_flow": table(
        "日期 收盘价 涨跌幅 主力净流入-净额 主力净流入-净占比 超大单净流入-净额 超大单净流入-净占比 大单净流入-净额"
        " 大单净流入-净占比 中单净流入-净额 中单净流入-净占比 小单净流入-净额 小单净流入-净占比",
        (D(2025, 10, 31), 1430.0, 0.1, 1.2e8, 3.1, 8.0e7, 2.0, 4.0e7, 1.0, -6e7, -1.5, -6e7, -1.5),
        (D(2025, 11, 3), 1435.0, 0.3, -2.5e8, -5.0, -1.5e8, -3.0, -1e8, -2.0, 1e8, 2.0, 1.5e8, 3.0),
    ),
    "stock_yysj_em": _quarter(
        table(
            "序号 股票代码 股票简称 首次预约时间 一次变更日期 二次变更日期 三次变更日期 实际披露时间",
            (1, "600519", "贵州茅台", D(2025, 10, 28), D(2025, 10, 30), pd.NaT, pd.NaT, D(2025, 10, 30)),
            (2, "000001", "平安银行", D(2025, 11, 20), D(2025, 11, 25), pd.NaT, pd.NaT, pd.NaT),
        ),
        table("序号 股票代码 股票简称 首次预约时间 一次变更日期 二次变更日期 三次变更日期 实际披露时间"),
    ),
    "stock_yjyg_em": {"20250930": table(
        "序号 股票代码 股票简称 预测指标 业绩变动 预测数值 业绩变动幅度 业绩变动原因 预告类型 上年同期值 公告日期",
        (1, "000001", "平安银行", "归属于上市公司股东的净利润", "预计…", 1e9, 12.0, "…", "略增", 9e8, D(2025, 10, 14)),
    )},
    "stock_fhps_em": {
        "20250630": table(
            "代码 名称 送转股份-送转总比例 送转股份-送转比例 送转股份-转股比例 现金分红-现金分红比例 现金分红-股息率 每股收益"
            " 每股净资产 每股公积金 每股未分配利润 净利润同比增长 总股本 预案公告日 股权登记日 除权除息日 方案进度 最新公告日期",
            ("600519", "贵州茅台", NAN, NAN, NAN, 239.57, 1.7, 51.5, 190.5, 1.1, 150.0, 6.2, 1.25e9,
             D(2025, 11, 5), D(2025, 12, 18), D(2025, 12, 19), "实施方案", D(2025, 11, 1)),
            ("000001", "平安银行", NAN, NAN, NAN, NAN, NAN, 1.87, 22.1, 4.2, 12.0, -3.5, 1.94e10,
             D(2025, 8, 23), pd.NaT, pd.NaT, "不分配不转增", D(2025, 8, 23)),
        ),
    },
    "stock_tfp_em": table(
        "序号 代码 名称 停牌时间 停牌截止时间 停牌期限 停牌原因 所属市场 预计复牌时间",
        (1, "000001", "平安银行", D(2025, 11, 3), pd.NaT, "停牌一天", "刊登重要公告", "深交所主板", D(2025, 11, 4)),
    ),
    "stock_market_activity_legu": table(
        "item value",
        ("上涨", "3127"), ("涨停", "88"), ("真实涨停", "74"), ("st st*涨停", "9"), ("下跌", "2034"),
        ("跌停", "6"), ("真实跌停", "4"), ("st st*跌停", "2"), ("平盘", "121"), ("停牌", "14"),
        ("活跃度", "59.09%"), ("统计日期", "2025-11-03 15:00:00"),
    ),
    "stock_zt_pool_em": table(
        "序号 代码 名称 涨跌幅 最新价 成交额 流通市值 总市值 换手率 封板资金 首次封板时间 最后封板时间 炸板次数 涨停统计"
        " 连板数 所属行业",
        *((n, f"60000{n}", "x", 10.0, 10.0, 1e8, 1e9, 1e9, 3.0, 1e7, "092500", "092500", 0, "1/1", 1, "y")
          for n in range(1, 8)),
    ),
    "stock_zt_pool_dtgc_em": pd.DataFrame(),
    "stock_sse_deal_daily": table(
        "单日情况 股票 主板A 主板B 科创板 股票回购",
        ("挂牌数", 2330, 1690, 42, 592, 0), ("市价总值", 6.1e5, 5.1e5, 8e2, 9.9e4, 0),
        ("流通市值", 5.6e5, 4.8e5, 5e2, 7e4, 0), ("成交金额", 9213.55, 7213.55, 3.2, 1996.8, 0.1),
        ("成交量", 620.1, 560.1, 0.4, 59.6, 0.0), ("平均市盈率", 15.2, 14.1, 7.2, 70.1, NAN),
        ("换手率", 1.5, 1.4, 0.3, 2.0, NAN), ("流通换手率", 1.6, 1.5, 0.4, 2.8, NAN),
    ),
    "stock_szse_summary": table(
        "证券类别 数量 成交金额 总市值 流通市值",
        ("股票", 2880, 1.18e12, 4.2e13, 3.6e13), ("主板A股", 1480, 6.1e11, 2.5e13, 2.3e13),
        ("创业板A股", 1380, 5.7e11, 1.7e13, 1.3e13), ("基金", 900, 2.0e11, 2e12, 2e12),
    ),
    "stock_margin_sse": table(
        "信用交易日期 融资余额 融资买入额 融券余量 融券余量金额 融券卖出量 融资融券余额",
        ("20251031", 1.25e12, 1.1e11, 3.0e9, 1.2e10, 1e8, 1.262e12),
    ),
    "stock_margin_szse": table(
        "融资买入额 融资余额 融券卖出量 融券余量 融券余额 融资融券余额",
        (1050.2, 12210.5, 0.9, 10.1, 62.4, 12272.9),
    ),
    "index_option_50etf_qvix": table(
        "date open high low close",
        (D(2025, 10, 31), 17.5, 18.2, 17.0, 17.61), (D(2025, 11, 3), 17.6, 18.0, 17.1, 17.35),
    ),
    "index_option_300etf_qvix": table(
        "date open high low close",
        (D(2025, 11, 3), 18.6, 19.0, 18.1, 18.42), (D(2025, 11, 4), NAN, NAN, NAN, NAN),
    ),
    "stock_hsgt_hist_em": table(
        "日期 当日成交净买额 买入成交额 卖出成交额 历史累计净买额 当日资金流入 当日余额 持股市值 领涨股 领涨股-涨跌幅 沪深300"
        " 沪深300-涨跌幅 领涨股-代码",
        (D(2024, 8, 16), 12.1, 530.2, 518.1, 1.7, 20.1, NAN, 1.9e12, "x", 5.0, 3345.6, 0.1, "600000.SH"),
        (D(2025, 11, 3), NAN, NAN, NAN, NAN, 0.0, NAN, NAN, "x", 5.0, 4640.7, 0.2, "600000.SH"),
    ),
    "macro_china_lpr": table(
        "TRADE_DATE LPR1Y LPR5Y RATE_1 RATE_2",
        (D(2015, 10, 24), NAN, NAN, 4.35, 4.9), (D(2025, 10, 20), 3.0, 3.5, 4.35, 4.9),
    ),
    "macro_china_shibor_all": table(
        "日期 O/N-定价 O/N-涨跌幅 1W-定价 1W-涨跌幅", ("2025-10-31", 1.317, 0.3, 1.41, 0.1), ("2025-11-03", 1.316, -0.1, 1.42, 1.0)
    ),
    "rate_interbank": table("报告日 利率 涨跌", (D(2025, 10, 31), 1.317, 0.3), (D(2025, 11, 3), 1.316, -0.1)),
    "macro_china_reserve_requirement_ratio": table(
        "公布时间 生效时间 大型金融机构-调整前 大型金融机构-调整后 大型金融机构-调整幅度 中小金融机构-调整前"
        " 中小金融机构-调整后 中小金融机构-调整幅度 消息公布次日指数涨跌-上证 消息公布次日指数涨跌-深证 备注",
        ("2025年05月07日", "2025年05月15日", 9.5, 9.0, -0.5, 6.5, 6.0, -0.5, 0.3, 0.2, "…"),
        ("2024年09月24日", "2024年09月27日", 10.0, 9.5, -0.5, 7.0, 6.5, -0.5, 1.2, 1.2, "…"),
    ),
    "index_analysis_daily_sw": sw_closes(),
    "stock_news_em": table(
        "关键词 新闻标题 新闻内容 发布时间 文章来源 新闻链接",
        ("600519", "公司发布三季报", "净利润同比增长", "2025-11-02 20:15:00", "证券时报 网", "http://x/1.html"),
        ("600519", "", "", "2025-11-02 20:16:00", "证券时报网", "http://x/2.html"),
    ),
    "stock_individual_notice_report": table(
        "代码 名称 公告标题 公告类型 公告日期 网址",
        ("600519", "贵州茅台", "贵州茅台:2025年第三季度报告", "三季度报告全文", D(2025, 10, 30), "http://x/a.html"),
    ),
}  # fmt: skip


class FakeAkshare:
    """akshare's functions over the tables. `changed`: what stands in a table's place; an exception is raised."""

    def __init__(self, changed: dict[str, Any] | None = None) -> None:
        self.changed = changed or {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __getattr__(self, name: str) -> Any:
        if name not in SIGNATURES:
            raise AttributeError(name)

        def function(**arguments: str) -> Any:
            assert tuple(arguments) == SIGNATURES[name], f"{name} takes {SIGNATURES[name]}"
            self.asked.append((name, arguments))
            found = self.changed.get(name, TABLES[name])
            if isinstance(found, Exception):
                raise found
            if isinstance(found, dict):
                return found.get(arguments["date"], pd.DataFrame())
            return found

        return function
