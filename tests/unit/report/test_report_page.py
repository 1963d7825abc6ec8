"""The page: self-contained, escaped, complete, in two languages."""

import json
import re

import pytest

from vnpy_aiagent.domain import Decision
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.report.contents import Contents
from vnpy_aiagent.report.html import build_html
from vnpy_aiagent.report.markup import Markup, details, lines, table, tag
from vnpy_aiagent.report.parts.decisions import decision_list
from vnpy_aiagent.report.parts.trades import trades
from vnpy_aiagent.report.read import RunRecord

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def body(page: str) -> str:
    """What is between the head and the scripts."""
    return page[page.index("<body>") : page.index('<script type="application/json"')]


@pytest.fixture
def page(contents: Contents) -> str:
    return build_html(contents, "zh")


def test_text_of_a_model_is_escaped(page: str, attack: str):
    assert attack not in page
    assert "&lt;script&gt;alert('x')&lt;/script&gt; &amp;" in page
    assert "synthetic &lt;bars&gt;" in page


def test_the_page_loads_nothing(page: str):
    outside = body(page) + page[: page.index("<body>")]
    assert not re.search(r"(src|href)=\"(?!#)", outside)
    assert "@import" not in outside
    assert "url(" not in outside
    assert page.count("<script") >= 3
    assert not re.search(r"<script[^>]+src=", page)


def test_the_page_says_that_no_language_model_decided(page: str):
    assert "离线分析员：规则，不是语言模型" in page
    assert '<html lang="zh-CN">' in page
    assert "假设的交易品种" in page


def test_every_section_is_there_with_its_link(page: str):
    for name in ("results", "funnel", "extremes", "trades", "decisions", "learning", "notes", "journal"):
        assert f'id="{name}"' in page
        assert f'href="#{name}"' in page
    assert "a" * 64 in page
    assert "aiagent journal verify" in page


def test_a_trade_shows_its_chain_and_its_decision_can_be_followed(page: str, record: RunRecord):
    acted = [each.id for each in record.of(Decision) if each.debate]
    assert len(acted) == 5
    assert all(f'id="{decision}"' in page for decision in acted)
    assert all(f'href="#{decision}"' in page for decision in acted[:3])
    assert "成交编号 1" in page
    assert "佣金 10.00" in page
    assert "[x] 当日亏损" in page


def test_the_chart_data_hold_accounts_and_baselines_with_units(page: str):
    found = re.search(r'id="chart-data">(.*?)</script>', page, re.DOTALL)
    assert found
    data = json.loads(found.group(1))
    assert [series["name"] for series in data["series"]] == [
        "aggressive",
        "judge",
        "等权持有全部标的（不计费用）",
    ]
    assert [series["baseline"] for series in data["series"]] == [False, False, True]
    assert data["series"][1]["equity"] == [999995.0, 997980.0, 997980.0]
    assert data["series"][1]["drawdown"][-1] == pytest.approx(-0.202)
    assert data["equityTitle"] == "权益（元）"


def test_the_english_page_holds_no_chinese_of_ours(contents: Contents):
    page = build_html(contents, "en")
    ours = body(page).replace("资金不足", "").replace("没有经验", "").replace("没有交易", "")
    assert CHINESE.findall(ours) == []
    assert '<html lang="en">' in page
    assert "not a language model" in page


def test_decisions_beyond_the_size_limit_take_one_line_and_the_page_says_so(record: RunRecord):
    say = Localizer("zh")
    whole = decision_list(record, say)
    short = decision_list(record, say, full_bytes=1)
    assert (len(whole.detailed), whole.brief) == (5, 1)
    assert (len(short.detailed), short.brief) == (1, 5)
    assert len(short.html) < len(whole.html)


def test_chains_beyond_the_size_limit_lose_their_details_and_the_page_says_so(contents: Contents):
    say = Localizer("zh")
    whole, short = trades(contents, say, ()), trades(contents, say, (), full_bytes=1)
    assert whole.count("成交编号") == 4
    assert short.count("成交编号") == 2
    assert "最后 1 笔交易的步骤不带细节" in short
    assert short.count("母单结束") == whole.count("母单结束")


def test_a_run_without_anything_still_gives_a_page(record: RunRecord, contents: Contents):
    empty = Contents.of(RunRecord.of_messages(record.messages[:1]), contents.summary)
    page = build_html(empty, "zh")
    assert "没有成交" in page
    assert "没有决策" in page


def test_markup_escapes_everything_that_is_not_markup():
    assert tag("td", "<b>", title='"') == '<td title="&quot;">&lt;b&gt;</td>'
    assert tag("td", Markup("<b>x</b>"), 5) == "<td><b>x</b>5</td>"
    assert lines("a\n<") == "a<br>&lt;"
    assert "&amp;" in details("&", "x")
    assert '<td class="number">2</td>' in table(["a", "b"], [["1", "2"]])
