"""vnpy's unmodified CTP gateway, end to end against a stand-in for the vendor's two libraries.

Each scenario of tests/ctp_standin/driver.py runs in a process of its own: the libraries are chosen when the
process starts. docs/gateways.md says how to run this and what it shows.
"""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.ctp_standin.build import BuildError, build
from tests.ctp_standin.quotes import write_quotes

pytestmark = pytest.mark.slow
needs_gateway = pytest.mark.skipif(
    os.environ.get("AIAGENT_TEST_CTP") != "1",
    reason='set AIAGENT_TEST_CTP=1 and pip install "vnpy_aiagent[gateways]" (Linux, g++)',
)
DRIVER = Path(__file__).resolve().parents[1] / "ctp_standin" / "driver.py"
TICKS = 400
Run = Callable[[str], dict[str, Any]]


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


def start(
    command: list[str],
    folder: Path,
    repo_root: Path,
    libraries: Path | None = None,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder prepared for vnpy."""
    (folder / ".vntrader").mkdir(exist_ok=True)
    settings = {"log.console": False, "log.file": False, "database.timezone": "Asia/Shanghai"}
    (folder / ".vntrader" / "vt_setting.json").write_text(json.dumps(settings), encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(repo_root), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **extra}
    if libraries is not None:
        environment["LD_LIBRARY_PATH"] = str(libraries)
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


@pytest.fixture
def run(libraries: Path, quotes: Path, repo_root: Path, tmp_path: Path) -> Run:
    """Runs a scenario; what it printed. It may leave no thread, nor ask what the stand-in does not know."""

    def scenario(name: str) -> dict[str, Any]:
        done = start([str(DRIVER), str(tmp_path), name, str(quotes)], tmp_path, repo_root, libraries)
        assert done.returncode == 0, done.stderr
        assert "ctp stand-in" not in done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        assert result.pop("threads") == []
        return result

    return scenario


@needs_gateway
def test_login_brings_contracts_real_quotes_and_the_account(run: Run) -> None:
    found = run("open_session")
    # " -> " is in the host's own lines, which follow the language of the system
    trading = [line for line in found["logs"] if not line.startswith("行情") and " -> " not in line]
    assert trading == [
        "交易服务器连接成功",
        "交易服务器授权验证成功",
        "交易服务器登录成功",
        "结算信息确认成功",
        "合约信息查询成功",
    ]
    assert found["contracts"] == {
        "IF2101.CFFEX": ["沪深300指数2101", 300, 0.2, "FUTURES"],
        "rb2105.SHFE": ["螺纹钢2105", 10, 1.0, "FUTURES"],
    }
    assert found["ticks"][1:] == [
        ["IF2101.CFFEX", "2021-01-04T09:29:00.400000+08:00", 5230.0, 5230.8, 5737.8],
        ["IF2101.CFFEX", "2021-01-04T09:30:00.400000+08:00", 5230.8, 5231.6, 5737.8],
    ]
    # 10,000,000, and three rb2105 held from 4300 at 4350; margin 10 % of 129,000
    assert found["account"] == ["demo", 10_001_500.0, 9_988_600.0]


@needs_gateway
def test_an_order_fills_in_parts_as_quotes_offer_volume(run: Run) -> None:
    found = run("fill_in_parts")
    assert found["traded_first"] == 1
    assert found["states"] == [
        "SUBMITTING",
        "SUBMITTING",
        "NOTTRADED",
        "PARTTRADED",
        "PARTTRADED",
        "ALLTRADED",
    ]
    assert found["fills"] == [["OPEN", 5231.6, 1], ["OPEN", 5234.8, 1], ["OPEN", 5234.4, 1]]
    assert found["moment"] == "2021-01-04T09:30:00+08:00"


@needs_gateway
def test_a_resting_order_is_cancelled_once(run: Run) -> None:
    found = run("cancel_orders")
    assert found["states"][-2:] == ["NOTTRADED", "CANCELLED"]
    assert found["quiet"], "an ordinary cancel is no news in the log"
    assert found["second"] == "交易撤单失败，代码：26，信息：CTP:报单已全成交或已撤销，不能再撤"


@needs_gateway
def test_rejections_of_front_and_exchange_are_readable_chinese(run: Run) -> None:
    found = run("rejections")
    assert [states[-1] for states in found["states"]] == ["REJECTED"] * 3
    assert found["by_exchange"].endswith("状态更新，已撤单报单被拒绝 CFFEX:报单价格超出涨跌停板")
    assert found["by_front"] == "交易委托失败，代码：31，信息：CTP:资金不足"
    assert found["nothing_held"] == "交易委托失败，代码：30，信息：CTP:平仓量超过持仓量"
    assert found["unknown_offset"] == ["", "请选择开平方向"]
    assert found["alive"]


@needs_gateway
def test_shfe_takes_close_today_and_close_yesterday_apart(run: Run) -> None:
    found = run("close_today")
    assert found["before"]["rb2105.SHFE.LONG"] == [5, 3, 0]
    assert found["after"]["rb2105.SHFE.LONG"] == [3, 2, 0]
    assert found["fills"] == [
        [["OPEN", 4350.0, 2]],
        [["CLOSETODAY", 4349.0, 1]],
        [["CLOSEYESTERDAY", 4349.0, 1]],
    ]
    assert found["refused_state"] == "REJECTED"
    assert found["refusal"] == "交易委托失败，代码：50，信息：CTP:平今仓位不足"


@needs_gateway
def test_vnpy_splits_a_close_into_the_offsets_the_exchange_wants(run: Run) -> None:
    found = run("close_today")
    assert found["split"] == [["CLOSETODAY", 1], ["CLOSEYESTERDAY", 2]]
    assert found["at_exchange"][-2:] == [
        ["rb2105", "SELL", "CLOSETODAY", "1", "1", "FILLED"],
        ["rb2105", "SELL", "CLOSEYESTERDAY", "2", "2", "FILLED"],
    ]


@needs_gateway
def test_after_a_broken_line_the_fills_that_were_missed_arrive(run: Run) -> None:
    found = run("reconnect")
    assert found["lost"] == ["交易服务器连接断开，原因4097", "行情服务器连接断开，原因4097"]
    assert found["while_down"] == "", "no order leaves while the line is down"
    assert found["refused"] == "委托请求发送失败，错误代码：-1"
    assert (found["at_exchange"], found["state_unknowing"]) == (["3", "FILLED"], "PARTTRADED")
    assert found["missed_ticks_shown"] == 0
    assert found["states"][-1] == "ALLTRADED"
    assert sum(volume for _, _, volume in found["fills"]) == 3
    assert found["sessions"] == ["1", "2"]


@needs_gateway
def test_a_reconnected_front_tells_the_whole_day_again(run: Run) -> None:
    found = run("reconnect")
    after = found["states"][found["states"].index("PARTTRADED") + 1 :]
    assert after == ["SUBMITTING", "NOTTRADED", "PARTTRADED", "PARTTRADED", "ALLTRADED"], (
        "a working order restarts"
    )
    assert found["trade_events"] == len(found["fills"]) + 1, "the first fill is told twice, with one trade id"


@needs_gateway
def test_a_wrong_password_is_a_sentence_and_no_crash(run: Run) -> None:
    found = run("wrong_password")
    assert found["said"] == "交易服务器登录失败，代码：3，信息：CTP:不合法的登录"
    assert found["contracts"] == 0
    assert found["gives_up"], "vnpy_ctp tries no other password before a restart: docs/gateways.md says so"


@needs_gateway
def test_a_wrong_authentication_code_is_a_sentence_and_no_crash(run: Run) -> None:
    found = run("wrong_auth_code")
    assert found == {"said": "交易服务器授权验证失败，代码：63，信息：CTP:客户端认证失败", "contracts": 0}


@needs_gateway
def test_contracts_arrive_although_the_first_query_was_one_too_many(run: Run) -> None:
    assert run("busy_front") == {"contracts": ["IF2101.CFFEX", "rb2105.SHFE"]}


@needs_gateway
def test_the_app_in_paper_mode_sends_nothing_to_the_gateway_and_survives_a_broken_line(run: Run) -> None:
    found = run("beside_the_app")
    assert found == {
        "mode": "PAPER",
        "handler_failures": 0,
        "accounts": ["aggressive", "conservative", "judge"],
        "orders": [],
        "alive": True,
    }


@needs_gateway
def test_without_the_chinese_locale_the_gateway_aborts_and_doctor_says_what_to_do(
    libraries: Path, quotes: Path, repo_root: Path, tmp_path: Path
) -> None:
    nowhere = tmp_path / "no-locales"
    nowhere.mkdir()
    extra = {"LOCPATH": str(nowhere)}
    crashed = start(
        [str(DRIVER), str(tmp_path), "open_session", str(quotes)], tmp_path, repo_root, libraries, extra
    )
    assert crashed.returncode == -signal.SIGABRT, crashed.stderr
    asked = start(["-m", "vnpy_aiagent", "doctor", "--no-online", "--json"], tmp_path, repo_root, extra=extra)
    findings = {each["check"]: each for each in json.loads(asked.stdout)["findings"]}
    assert findings["locale"]["grade"] == "warn"
    assert findings["locale"]["advice"].startswith("localedef -i zh_CN -c -f GB18030 zh_CN.GB18030")
    assert findings["vnpy_ctp"]["grade"] == "ok"


def test_a_package_without_the_headers_is_refused_in_a_sentence(tmp_path: Path) -> None:
    package = tmp_path / "other-1.0.tar.gz"
    with tarfile.open(package, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("other-1.0/README.md"), io.BytesIO())
    with pytest.raises(
        BuildError, match=r"other-1\.0\.tar\.gz has no vnpy_ctp/api/include/ctp/; use the source"
    ):
        build(tmp_path / "out", package)
