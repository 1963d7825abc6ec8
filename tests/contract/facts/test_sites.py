"""The lists of three authorities as their pages are made, over HTTP; and what their texts touch."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from vnpy_aiagent.data.fact_sources.build import get_page
from vnpy_aiagent.data.fact_sources.dataset import Dataset
from vnpy_aiagent.data.fact_sources.industry import INDUSTRIES
from vnpy_aiagent.data.fact_sources.policy import CSRC, MOST_INDUSTRIES, NDRC, PBC, TOPICS, industries_of
from vnpy_aiagent.data.fact_sources.providers import SiteProvider
from vnpy_aiagent.data.sources.absence import AbsenceKind

from ..http_standin import Answer, HttpStandin  # noqa: TID252 - the same stand-in
from .world import alone, fetcher, told

CSRC_PAGE = json.dumps(
    {
        "data": {
            "total": 2,
            "results": [
                {
                    "title": "证监会就《上市公司<em>治理</em>准则》公开征求意见",
                    "publishedTimeStr": "2025-10-31 18:02:00",
                    "content": "为规范上市公司治理，证券公司应当…证券公司…",
                    "url": "//www.csrc.gov.cn/csrc/c100028/c1/content.shtml",
                    "manuscriptId": "1",
                },
                {"title": "旧闻", "publishedTimeStr": "2025-01-02 10:00:00", "content": "", "url": "//x"},
            ],
        }
    }
)
PBC_PAGE = """<html><body><table><tr><td><font class="newslist_style">
<a href="/goutongjiaoliu/113456/113469/2025103017001512345/index.html" onclick="void(0)" target="_blank"
 title="中国人民银行决定下调存款准备金率" istitle="true">中国人民银行决定下调存款…</a></font>
<span class="hui12">2025-10-30</span></td></tr></table>
<a href="/goutongjiaoliu/113456/113469/11040-2.html">下一页</a></body></html>"""
NDRC_PAGE = """<ul class="u-list"><li><a href="./202510/t20251031_1401234.html" target="_blank"
 title="关于做好新能源汽车充电设施建设的通知">关于做好新能源汽车…</a><span>2025/10/31</span></li>
<li class="empty"></li></ul>"""
PAGES = {"/csrc": CSRC_PAGE, "/pbc": PBC_PAGE, "/ndrc": NDRC_PAGE}


@pytest.fixture
def site() -> Iterator[HttpStandin]:
    with HttpStandin(lambda heard: Answer(PAGES[heard.path].encode())) as standin:
        yield standin


def fetch(site: HttpStandin, dataset: Dataset) -> Any:
    addresses = {name: f"{site.url}/{name}" for name in ("csrc", "pbc", "ndrc")}
    return fetcher(providers={"site": SiteProvider(get_page, addresses)}).fetch(alone(dataset), ())


def test_the_regulators_list_gives_whole_texts_with_their_time(site: HttpStandin) -> None:
    facts = fetch(site, CSRC).facts
    assert told(facts) == [
        ("801790.SWS", "policy", "2025-10-31", None, "10-31 18:02"),
        ("A.MARKET", "policy", "2025-10-31", None, "10-31 18:02"),
    ]
    assert facts[0].title == "证监会就《上市公司治理准则》公开征求意见"
    assert facts[0].body.startswith("为规范上市公司治理")
    assert {fact.source for fact in facts} == {"csrc"}


def test_the_central_banks_list_states_the_time_in_its_addresses(site: HttpStandin) -> None:
    facts = fetch(site, PBC).facts
    assert told(facts) == [
        ("801180.SWS", "policy", "2025-10-30", None, "10-30 17:00"),
        ("801780.SWS", "policy", "2025-10-30", None, "10-30 17:00"),
        ("A.MARKET", "policy", "2025-10-30", None, "10-30 17:00"),
    ]
    assert {fact.title for fact in facts} == {"中国人民银行决定下调存款准备金率"}


def test_a_list_with_days_alone_counts_from_their_end(site: HttpStandin) -> None:
    assert {row[4] for row in told(fetch(site, NDRC).facts)} == {"11-01 00:00"}
    assert {row[0] for row in told(fetch(site, NDRC).facts)} == {"A.MARKET", "801880.SWS", "801730.SWS"}


@pytest.mark.parametrize("dataset", [CSRC, PBC, NDRC], ids=lambda d: d.name)
@pytest.mark.parametrize(
    "page", ["", "<html>moved</html>", '{"data": {}}', '{"data": {"results": []}}', "\ud800"]
)
def test_another_page_is_an_absence_and_no_empty_list(site: HttpStandin, dataset: Dataset, page: str) -> None:
    site.answer = lambda _: Answer(page.encode("utf-8", "surrogatepass"))
    outcome = fetch(site, dataset)
    assert outcome.facts == []
    assert {absence.kind for absence in outcome.failures} == {AbsenceKind.BAD_DATA}
    assert outcome.absent == {"A.MARKET": {"policy": "failed"}}


@pytest.mark.parametrize("answer", [Answer(status=503), Answer(hang_up=True)], ids=["503", "hung up"])
def test_no_answer_is_an_absence(site: HttpStandin, answer: Answer) -> None:
    site.answer = lambda _: answer
    assert {absence.kind for absence in fetch(site, CSRC).failures} == {AbsenceKind.UNREACHABLE}


def test_topics_are_level_1_industries_and_no_text_names_a_symbol() -> None:
    assert {code for codes in TOPICS.values() for code in codes} <= INDUSTRIES
    assert industries_of("利好 600519 贵州茅台", "买入 600519.SSE " * 20) == ()


def test_a_text_full_of_topics_reaches_a_few_industries_alone() -> None:
    assert len(industries_of("、".join(TOPICS), "")) == MOST_INDUSTRIES


def test_words_hidden_by_invisible_letters_are_read_as_the_quarantine_reads_them() -> None:
    assert industries_of("关于光\u200b伏产业的通知", "") == ("801730.SWS",)


def test_one_mention_in_a_body_is_no_topic() -> None:
    assert industries_of("工作会议", "会上提到光伏") == ()
    assert industries_of("工作会议", "光伏，光伏") == ("801730.SWS",)
