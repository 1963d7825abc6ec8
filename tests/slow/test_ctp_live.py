"""AiAgent in mode LIVE through vnpy's unmodified CTP gateway and a stand-in for the vendor's two libraries.

Each scenario of tests/ctp_standin/live_driver.py runs once, in a process of its own; the app's commands run
as a user calls them. docs/gateways.md says how to run this.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.ctp_standin.build import build
from tests.ctp_standin.desk import SETTING
from tests.ctp_standin.quotes import write_quotes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("AIAGENT_TEST_CTP") != "1",
        reason='set AIAGENT_TEST_CTP=1 and pip install "vnpy_aiagent[gateways]" (Linux, g++)',
    ),
]
DRIVER = Path(__file__).resolve().parents[1] / "ctp_standin" / "live_driver.py"
TICKS = 400
KILLED = 9
INDEX, REBAR = "IF2101.CFFEX", "rb2105.SHFE"
Run = Callable[..., dict[str, Any]]
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the stand-in, built against the headers of AIAGENT_TEST_CTP_SDIST or a fresh download."""
    sdist = os.environ.get("AIAGENT_TEST_CTP_SDIST")
    return build(tmp_path_factory.mktemp("ctp"), Path(sdist) if sdist else None)


@pytest.fixture(scope="module")
def quotes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recorded ticks as the exchange reads them."""
    recorded = shared / "data" / "cffex" / "IF2101_ticks_20210104.csv.gz"
    return write_quotes(recorded, tmp_path_factory.mktemp("quotes") / "quotes.csv", TICKS)


@pytest.fixture(scope="module")
def environment(libraries: Path, repo_root: Path) -> dict[str, str]:
    """Of every process: the stand-in comes before the vendor's libraries."""
    path = os.pathsep.join(filter(None, (str(repo_root), os.environ.get("PYTHONPATH"))))
    own = {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "LD_LIBRARY_PATH": str(libraries)}
    return {**os.environ, **own}


def make_folder(folder: Path) -> Path:
    """A folder with vnpy's own in it."""
    (folder / ".vntrader" / "aiagent").mkdir(parents=True)
    settings = {"log.console": False, "log.file": False, "database.timezone": "Asia/Shanghai"}
    (folder / ".vntrader" / "vt_setting.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def start(command: list[str], folder: Path, environment: dict[str, str]) -> Done:
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def run(environment: dict[str, str], quotes: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs scenarios one after the other in one folder, each once; what the last printed.

    All but the last are killed. Nothing was asked that the stand-in does not know.
    """

    def one(name: str, folder: Path, status: int) -> dict[str, Any]:
        done = start([str(DRIVER), str(folder), name, str(quotes)], folder, environment)
        assert done.returncode == status, done.stderr
        assert "ctp stand-in" not in done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        assert result.pop("handler_failures", 0) == 0, result
        return result

    @cache
    def scenario(*names: str) -> dict[str, Any]:
        folder = make_folder(tmp_path_factory.mktemp(names[-1]))
        results = [one(name, folder, KILLED) for name in names[:-1]]
        return {**one(names[-1], folder, 0), "before": results}

    return scenario


def volume(found: dict[str, Any], side: str = "BUY") -> int:
    """Volume of the booked fills of one side."""
    return sum(fill[2] for fill in found["fills"] if fill[0] == side)


def test_login_settlement_and_contracts_come_in_order_under_the_app(run: Run) -> None:
    assert run("trade_day")["logs"] == [
        "交易服务器连接成功",
        "交易服务器授权验证成功",
        "交易服务器登录成功",
        "结算信息确认成功",
        "合约信息查询成功",
    ]


def test_a_signal_becomes_an_order_that_fills_in_parts_and_one_that_is_cancelled(run: Run) -> None:
    found = run("trade_day")
    assert found["at_exchange"] == [
        ["IF2101", "BUY", "OPEN", "5240", "3", "3", "FILLED"],
        ["IF2101", "BUY", "OPEN", "4900", "1", "0", "CANCELLED"],
    ]
    assert found["states"] == [
        ["ACCEPTED", 0],
        ["PARTIAL", 1],
        ["PARTIAL", 2],
        ["FILLED", 3],
        ["ACCEPTED", 0],
        ["CANCELLED", 0],
    ]
    assert [fill[:3] for fill in found["fills"]] == [
        ["BUY", "5231.6", 1],
        ["BUY", "5234.8", 1],
        ["BUY", "5234.4", 1],
    ]
    assert found["book"]["held"] == {INDEX: 3, REBAR: 3}
    assert found["book"]["external"] == {REBAR: 3}, "held before the app came"
    assert (found["counted"]["CashAdjusted"], found["counted"]["Withheld"]) == (0, 0)


def test_a_proposal_meets_the_risk_rules_and_only_the_missing_history_refuses_it(run: Run) -> None:
    """No daily bars of the contract are recorded here, so its usual turnover is unknown."""
    found = run("proposal")
    assert [rule for rule, passed, *_ in found["lines"] if not passed] == ["liquidity"]
    words = {rule: text for rule, _, _, text in found["lines"]}
    assert "手" in words["lot_size"]
    assert words["cash"].startswith("可用资金 9980650.00 元")
    assert (found["outcome"], found["counted"]["Signal"]) == ("REJECTED", 0)


def test_rejections_of_exchange_and_front_reach_the_alerts_in_chinese(run: Run) -> None:
    found = run("rejections")
    assert (
        found["by_exchange"] == "接口 CTP：委托 1_1_1 状态更新，已撤单报单被拒绝 CFFEX:当前状态禁止此项操作"
    )
    assert found["by_front"] == "接口 CTP：交易委托失败，代码：31，信息：CTP:资金不足"
    assert found["states"] == [["REJECTED", 0], ["REJECTED", 0]]
    assert found["book"]["held"] == {REBAR: 3}


def test_on_shfe_the_app_closes_yesterdays_contracts_and_todays_each_with_their_offset(run: Run) -> None:
    found = run("close_today")
    assert found["at_exchange"] == [
        ["rb2105", "BUY", "OPEN", "2", "2", "FILLED"],
        ["rb2105", "SELL", "CLOSEYESTERDAY", "3", "3", "FILLED"],
        ["rb2105", "SELL", "CLOSETODAY", "1", "1", "FILLED"],
    ]
    assert found["parts"] == [1, 2], "one sale, two orders"
    assert (volume(found), volume(found, "SELL")) == (2, 4)
    assert found["bought"]["held"] == {REBAR: 5}
    assert found["book"]["held"] == {REBAR: 1}
    assert found["counted"]["Intent"] == 2


def test_a_broken_line_is_told_holds_orders_back_and_doubles_nothing(run: Run) -> None:
    found = run("reconnect")
    assert found["lost"].startswith("接口 CTP：交易服务器连接断开，原因4097")
    assert found["held_back"] == 1, "no second order left while the line was down"
    assert found["trade_events"] == volume(found) + 1 == 4, "the front told the first fill again"
    assert found["states"][-1] == ["FILLED", 3]
    assert found["book"]["held"] == {INDEX: 3, REBAR: 3}
    assert found["checked"] == [True, False, True]
    assert found["counted"]["CashAdjusted"] == 0


def test_after_a_crash_the_working_order_is_the_apps_again(run: Run) -> None:
    found = run("crash", "after_the_crash")
    assert volume(found["before"][0]) == 1
    assert volume(found) == 3
    assert len({fill[3] for fill in found["fills"]}) == 3
    assert [row[-1] for row in found["at_exchange"]] == ["FILLED"]
    assert found["book"]["held"] == {INDEX: 3, REBAR: 3}
    assert (found["counted"]["Intent"], found["counted"]["HoldingAdjusted"]) == (1, 1)


def test_an_order_whose_id_was_not_written_down_is_found_and_never_sent_again(run: Run) -> None:
    found = run("crash_before_sent", "after_the_crash")
    assert found["before"] == [{"orders": 1}]
    assert len(found["at_exchange"]) == found["counted"]["Intent"] == 1
    assert found["book"]["held"] == {INDEX: 3, REBAR: 3}
    assert any("已在柜台找到：CTP.1_1_1" in line for line in found["said"])


def test_a_wrong_password_is_an_alert_and_no_order_leaves(run: Run) -> None:
    found = run("wrong_password")
    assert found["told"].startswith(
        "接口 CTP：交易服务器登录失败，代码：3，信息：CTP:不合法的登录。它不会再自动登录"
    )
    assert (found["reconciled"], found["orders"]) == (False, [])


# the commands, as a user calls them


@pytest.fixture
def open_front() -> Iterator[str]:
    """Address of a server that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


class Home:
    """A user's folder, with settings for mode LIVE on CTP."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = make_folder(folder)
        own = {name: value for name, value in environment.items() if not name.startswith("AIAGENT_")}
        self.environment = {**own, "AIAGENT_LANGUAGE": "en", "NO_COLOR": "1"}
        settings = {
            "mode": "LIVE",
            "universe": [INDEX],
            "quote_gateway": "CTP",
            "accounts": [{"name": "judge", "style": "JUDGE", "gateway": "CTP"}],
            "live": {"capital_limit": "100000", "allowlist": [INDEX], "program_trading_reported": True},
        }
        (folder / ".vntrader" / "aiagent" / "config.json").write_text(json.dumps(settings), encoding="utf-8")

    def connection(self, **changes: str) -> None:
        """Save a connection as VeighNa's dialog does."""
        path = self.folder / ".vntrader" / "connect_ctp.json"
        path.write_text(json.dumps({**SETTING, **changes}, ensure_ascii=False), encoding="utf-8")

    def call(self, *arguments: str, **extra: str) -> Done:
        return start(["-m", "vnpy_aiagent", *arguments], self.folder, {**self.environment, **extra})

    def findings(self, *arguments: str, **extra: str) -> dict[str, dict[str, str]]:
        """What doctor finds, by check; the worst of several."""
        done = self.call("doctor", "--json", *arguments, **extra)
        found: dict[str, dict[str, str]] = {}
        for each in json.loads(done.stdout)["findings"]:
            if each["check"] not in found or each["grade"] != "ok":
                found[each["check"]] = each
        return found


@pytest.fixture
def home(tmp_path: Path, environment: dict[str, str]) -> Home:
    return Home(tmp_path / "home", environment)


def test_doctor_names_a_front_that_does_not_answer(home: Home, open_front: str) -> None:
    home.connection(交易服务器=f"tcp://{open_front}", 行情服务器="127.0.0.1:1")
    found = home.findings()
    assert found["gateway"]["grade"] == "ok"
    assert found["front"]["grade"] == "fail"
    assert found["front"]["found"].startswith("CTP quotes server 127.0.0.1:1 does not answer (")
    assert "check the address in the saved connection" in found["front"]["advice"]


def test_doctor_logs_in_once_when_asked_and_says_what_the_broker_said(home: Home) -> None:
    home.connection()
    assert home.findings("--no-online", "--login")["login"] == {
        "check": "login",
        "grade": "ok",
        "found": "CTP: 交易服务器登录成功",
        "advice": "",
    }
    home.connection(密码="wrong")
    login = home.findings("--no-online", "--login")["login"]
    assert (login["grade"], login["found"]) == (
        "fail",
        "CTP: 交易服务器登录失败，代码：3，信息：CTP:不合法的登录",
    )
    assert login["advice"].startswith("check user and password in the saved connection")
    home.connection(授权编码="1111111111111111")
    login = home.findings("--no-online", "--login")["login"]
    assert "授权验证失败" in login["found"]
    assert "AuthCode" in login["advice"]


def test_without_the_locale_doctor_and_run_refuse_to_touch_the_gateway(home: Home) -> None:
    home.connection()
    nowhere = home.folder / "no-locales"
    nowhere.mkdir()
    found = home.findings("--no-online", "--login", LOCPATH=str(nowhere))
    assert found["locale"]["advice"].startswith("localedef -i zh_CN -c -f GB18030 zh_CN.GB18030")
    assert "zh_CN.GB18030 is missing" in found["gateway"]["found"]
    assert "zh_CN.GB18030 is missing" in found["login"]["found"]
    done = home.call("run", "--headless", LOCPATH=str(nowhere))
    assert done.returncode == 2
    assert "zh_CN.GB18030 is missing, CTP would abort the process" in done.stderr


def test_run_says_what_is_missing_before_it_connects(home: Home) -> None:
    done = home.call("run", "--mode", "live", "--headless")
    assert done.returncode == 2
    assert "CTP has no saved connection (connect_ctp.json); connect it once in VeighNa Trader" in done.stderr
    home.connection(密码="")
    done = home.call("run", "--headless")
    assert done.returncode == 2
    assert "the saved connection of CTP lacks 密码" in done.stderr


def test_run_ends_in_time_while_quotes_keep_coming_and_its_journal_is_whole(home: Home, quotes: Path) -> None:
    home.connection()
    process = subprocess.Popen(
        [sys.executable, "-m", "vnpy_aiagent", "run", "--headless", "--json"],
        cwd=home.folder,
        env={**home.environment, "CTP_STANDIN_QUOTES": str(quotes)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    said: list[str] = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if "合约信息查询成功" in line:
                break
        process.send_signal(signal.SIGTERM)
        out, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, "".join(said) + rest
    assert "the journal is complete; the broker's connection ends with this process" in rest
    assert json.loads(out)["mode"] == "LIVE"
    assert "running in live mode" in "".join(said) + rest
    shown = home.call("journal", "verify", str(home.folder / ".vntrader" / "aiagent" / "journal-live.db"))
    assert shown.returncode == 0, shown.stderr
