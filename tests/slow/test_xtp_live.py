"""AiAgent in mode LIVE through vnpy's unmodified XTP gateway and a stand-in for the vendor's two libraries.

Each scenario of tests/xtp_standin/driver.py runs once, in a process of its own. docs/gateways.md says how to
run this.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.slow.paper_house import IMPORT
from tests.xtp_standin.build import build

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("AIAGENT_TEST_CTP") != "1",
        reason='set AIAGENT_TEST_CTP=1 and pip install "vnpy_aiagent[gateways]" (Linux, g++)',
    ),
]
DRIVER = Path(__file__).resolve().parents[1] / "xtp_standin" / "driver.py"
Run = Callable[..., dict[str, Any]]
BANK, METAL = "601288.SSE", "601600.SSE"
KILLED = 9


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the stand-in, built against the headers of AIAGENT_TEST_XTP_SDIST or a fresh download."""
    sdist = os.environ.get("AIAGENT_TEST_XTP_SDIST")
    return build(tmp_path_factory.mktemp("xtp"), Path(sdist) if sdist else None)


@pytest.fixture(scope="module")
def history(shared: Path, repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vnpy folder with real daily bars up to the day before."""
    folder = tmp_path_factory.mktemp("history")
    (folder / ".vntrader" / "aiagent").mkdir(parents=True)
    settings = {"log.console": False, "log.file": False, "database.timezone": "Asia/Shanghai"}
    (folder / ".vntrader" / "vt_setting.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-c", IMPORT, str(shared)]
    environment = {**os.environ, "PYTHONPATH": str(repo_root)}
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def run(
    libraries: Path, history: Path, shared: Path, repo_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Runs scenarios one after the other in one folder, each once; what the last printed.

    All but the last are killed. Nothing was asked that the stand-in does not know. There is no Chinese
    locale: unlike CTP's this gateway needs none.
    """
    path = os.pathsep.join(filter(None, (str(repo_root), os.environ.get("PYTHONPATH"))))
    own = {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "LD_LIBRARY_PATH": str(libraries)}
    own["LOCPATH"] = str(tmp_path_factory.mktemp("no-locales"))

    def one(name: str, folder: Path, status: int) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, str(DRIVER), str(folder), name, str(shared)],
            cwd=folder,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stderr
        assert "xtp stand-in" not in done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        assert result.pop("handler_failures", 0) == 0, result
        return result

    @cache
    def scenario(*names: str) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp(names[-1])
        shutil.copytree(history, folder, dirs_exist_ok=True)
        results = [one(name, folder, KILLED) for name in names[:-1]]
        return {**one(names[-1], folder, 0), "before": results}

    return scenario


def test_a_proposal_becomes_an_order_that_fills_and_the_book_is_the_brokers(run: Run) -> None:
    found = run("trade_day")
    assert found["logs"] == [
        "SSE合约信息查询成功",
        "SZSE合约信息查询成功",
        "行情服务器登录成功",
        "交易服务器登录成功, 会话编号：1",
    ]
    volume, part = int(found["order"]["volume"]), found["part"]
    assert found["states"] == [["ACCEPTED", 0], ["PARTIAL", part], ["FILLED", volume]]
    assert found["fills"] == [["BUY", "8.18", part, "T1"], ["BUY", "8.18", volume - part, "T2"]]
    assert found["book"]["held"] == {BANK: volume}
    assert found["book"]["cash"] == found["book"]["available"] == found["cash"]
    assert found["protected"] == ["ARMED"]
    assert found["sale"] == ["REJECTED", ["sellable"]], "bought today"
    counted = {"Signal": 1, "Intent": 1, "Sent": 1, "Fill": 2}
    assert found["counted"] == {**dict.fromkeys(found["counted"], 0), **counted}


def test_a_cash_account_gets_limit_orders_without_an_offset(run: Run) -> None:
    order = run("trade_day")["order"]
    assert (order["side"], order["effect"], order["business"], order["price_type"]) == ("1", "0", "0", "1")
    assert float(order["price"]) == 8.19, "the last price of 8.18 and the slippage that the settings allow"


def test_a_trade_that_the_gateway_counts_twice_is_booked_once(run: Run) -> None:
    found = run("cancels")
    assert found["first"] == ["CANCELLED", 100]
    assert found["last"] == ["CANCELLED", 100], "the cancel came first, the gateway then says 200"
    assert found["fills"] == [["BUY", "8.19", 100, "T1"], ["BUY", "10.28", 100, "T2"]]
    assert found["late"] == "接口 XTP：撤单失败，代码：11000327，信息：撤单失败，原订单已完成"
    assert found["book"]["held"] == {BANK: 100, METAL: 100}
    assert found["book"]["cash"] == found["book"]["available"]
    assert (found["counted"]["CashAdjusted"], found["counted"]["HoldingAdjusted"]) == (0, 0)


def test_what_the_library_does_not_take_is_withheld_and_a_rejection_is_told_in_chinese(run: Run) -> None:
    found = run("refusals")
    assert "withheld: 接口 XTP 未接受委托" in found["said"]
    assert found["at_broker"] == 0
    assert found["told"] == "接口 XTP：交易委托失败，代码：11000110，信息：废单：资金不足"
    assert found["states"] == [["ACCEPTED", 0], ["REJECTED", 0]], "none of the order that was not taken"
    assert found["book"]["available"] == found["book"]["cash"] == "1000000.00"
    assert not any("非本系统" in line for line in found["said"])


def test_after_a_broken_line_the_missed_fill_arrives_and_quotes_are_asked_for_again(run: Run) -> None:
    found = run("broken_line")
    assert found["lost"].startswith("接口 XTP：交易服务器连接断开, 原因10200001")
    assert found["unknowing"] == {BANK: 100}
    assert sum(volume for _, _, volume, _ in found["fills"]) == found["book"]["held"][BANK]
    assert len(found["fills"]) == len({number for *_, number in found["fills"]}) == 2
    assert found["quoted_again"]


def test_a_login_that_is_refused_after_a_break_is_told_and_nothing_leaves(run: Run) -> None:
    found = run("broken_line")
    assert found["refused"].startswith("接口 XTP：交易服务器登录失败，原因：connect to server failed")
    assert "重新启动" in found["refused"]
    assert found["orders"] == 1
    assert found["said"][-1].startswith("withheld: ")


def test_shares_that_were_there_before_the_app_are_not_its_to_sell(run: Run) -> None:
    found = run("shares_of_others")
    assert found["told"] == ["NET", 1000, 400], "400 of them cannot be sold today"
    assert found["book"]["external"] == found["book"]["held"] == {METAL: 1000}
    assert (found["outcome"], found["orders"]) == ("REJECTED", 0)


def test_after_a_crash_the_order_is_the_apps_again_and_the_replayed_day_doubles_nothing(run: Run) -> None:
    found = run("crash", "after_the_crash")
    assert [fill[2] for fill in found["before"][0]["fills"]] == [100]
    assert found["known"] == [["BUY", "8.19", 100, "T1"], ["BUY", "8.19", 200, "T2"]]
    assert found["working"] == ["PARTIAL"]
    [order] = found["orders"]
    assert sum(fill[2] for fill in found["fills"]) == int(order["volume"]) == found["book"]["held"][BANK]
    assert found["book"]["cash"] == found["book"]["available"]
    assert (found["counted"]["Intent"], found["counted"]["Sent"], found["counted"]["CashAdjusted"]) == (
        1,
        1,
        0,
    )


def test_an_order_whose_id_was_not_written_down_is_found_by_what_it_was(run: Run) -> None:
    found = run("crash_before_sent", "after_the_crash")
    assert found["before"] == [{"orders": 1}]
    [order] = found["orders"]
    assert found["book"]["held"] == {BANK: int(order["volume"])}
    assert (found["counted"]["Intent"], found["counted"]["Sent"]) == (1, 1), "adopted, never sent again"


def test_a_wrong_password_is_an_alert_that_says_what_to_do(run: Run) -> None:
    found = run("wrong_password")
    assert found["told"].startswith("接口 XTP：交易服务器登录失败，原因：资金账号或密码错误。")
    assert "核对连接设置里的用户名、密码" in found["told"]
    assert not found["reconciled"]
