"""Opens VeighNa Trader with the CTA apps, the data manager and AiAgent; --headless runs AiAgent alone.

    python run_vnpy.py
    python run_vnpy.py --headless

What it sets, it sets for this run: vnpy's own settings file stays as it is.
"""

import argparse
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vnpy.trader.engine import MainEngine

    from vnpy_aiagent.engine import AiAgentEngine

# The brain's process imports this module again: nothing starts here, vnpy is imported where it is used.


class Broker(NamedTuple):
    """A gateway that may be installed."""

    package: str
    class_name: str
    what: str
    command: str


BROKERS = (
    Broker("vnpy_ctp", "CtpGateway", "CTP 期货接口", "pip install vnpy_ctp==6.7.11.4"),
    Broker(
        "vnpy_xtp",
        "XtpGateway",
        "XTP 股票接口",
        "pip install vnpy_xtp==2.2.32.2.3 importlib_metadata==10.2.0",
    ),
)


def prepare_settings() -> None:
    """vnpy's settings for this run. Comes first: vnpy reads the time zone when its database is imported."""
    from vnpy.trader.setting import SETTINGS

    SETTINGS["database.timezone"] = "Asia/Shanghai"
    if not SETTINGS["datafeed.name"]:
        SETTINGS["datafeed.name"] = "aiagent"  # the download buttons of CtaBacktester and DataManager


def add_gateways(main_engine: "MainEngine") -> None:
    """Brokers that are installed, free quotes, and the simulated accounts; one line for each that is missing.

    The engine finds the simulated gateways by name and opens their accounts at its start; until then they
    refuse to connect and say why.
    """
    from vnpy_aiagent.data.quote_gateway import QuoteGateway
    from vnpy_aiagent.sim.gateway import SimGateway

    for broker in BROKERS:
        try:
            main_engine.add_gateway(getattr(import_module(broker.package), broker.class_name))
            if broker.package == "vnpy_ctp":
                warn_of_locale()
        except ModuleNotFoundError as error:
            if error.name != broker.package:
                print(f"{broker.what}缺少 {error.name}：pip install {error.name}")
            else:
                print(f"{broker.what}没有安装，需要时运行：{broker.command}")
        except (ImportError, AttributeError) as error:
            print(f"{broker.what}无法载入（{error}），请重新安装：{broker.command}")
    main_engine.add_gateway(QuoteGateway)
    for name in simulated_accounts():
        main_engine.add_gateway(SimGateway, name)


def warn_of_locale() -> None:
    """CTP aborts the process on its first message where the Chinese locale is missing."""
    from vnpy_aiagent.brokers import LOCALE_COMMAND, has_chinese_locale

    if not has_chinese_locale():
        print(f"缺少 zh_CN.GB18030 区域，连接 CTP 会使程序退出；先以管理员运行：{LOCALE_COMMAND}")


def simulated_accounts() -> list[str]:
    """Names of the simulated gateways that the settings ask for; the default ones where those are wrong."""
    from vnpy_aiagent.config import Settings, load_settings
    from vnpy_aiagent.errors import ConfigError
    from vnpy_aiagent.places import default_config

    try:
        settings = load_settings(default_config())
    except ConfigError as error:
        print(f"设置有误，请在 AI 智能体窗口的“设置”里改正：{error}")
        settings = Settings()
    return [account.gateway_name for account in settings.accounts if not account.gateway]


def build() -> "tuple[MainEngine, AiAgentEngine]":
    """The main engine with every gateway and app; its event engine runs."""
    prepare_settings()
    from vnpy.event import EventEngine
    from vnpy.trader.engine import MainEngine
    from vnpy_ctabacktester import CtaBacktesterApp
    from vnpy_ctastrategy import CtaStrategyApp
    from vnpy_datamanager import DataManagerApp

    from vnpy_aiagent.app import AiAgentApp
    from vnpy_aiagent.engine import AiAgentEngine

    main_engine = MainEngine(EventEngine())
    try:
        add_gateways(main_engine)
        for app in (CtaStrategyApp, CtaBacktesterApp, DataManagerApp):
            main_engine.add_app(app)
        engine = main_engine.add_app(AiAgentApp)
    except BaseException:
        main_engine.close()  # its threads would keep the process alive
        raise
    assert isinstance(engine, AiAgentEngine)
    return main_engine, engine


def run_headless() -> None:
    """Run until Ctrl+C or a polite termination, then close everything in order.

    Brokers' gateways that the settings name are connected with what VeighNa's dialog saved.
    """
    import signal

    from vnpy_aiagent import brokers
    from vnpy_aiagent.config import load_settings
    from vnpy_aiagent.places import default_config

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    main_engine, engine = build()
    try:
        names = brokers.gateways_needed(load_settings(default_config()))
        brokers.require_loaded(main_engine, names)
        connections = {name: brokers.ready_connection(name) for name in names if name in brokers.BROKERS}
        engine.start()
        brokers.connect(main_engine, connections)
        print("AI 智能体正在运行，按 Ctrl+C 结束。 (AiAgent is running; Ctrl+C ends it.)", flush=True)
        while not stopped.wait(0.5):  # a wait without end would not let Ctrl+C through on Windows
            pass
    finally:
        connected = brokers.leave(main_engine)
    if connected:
        brokers.end_process(0)


def run_window() -> int:
    """Open VeighNa Trader; the exit status of the window."""
    prepare_settings()
    from vnpy.trader.ui import MainWindow, create_qapp

    application = create_qapp()
    from vnpy_aiagent import brokers

    main_engine, _ = build()
    connected: list[bool] = []
    close = main_engine.close
    main_engine.close = lambda: connected.append(brokers.leave(main_engine))  # type: ignore[method-assign]
    try:
        window = MainWindow(main_engine, main_engine.event_engine)
    except BaseException:
        close()
        raise
    window.showMaximized()
    status = int(application.exec())
    if any(connected):
        brokers.end_process(status)
    return status


def main() -> int:
    """Read the arguments and run; the exit status."""
    from vnpy_aiagent.cli.common import utf8_output
    from vnpy_aiagent.errors import AiAgentError

    utf8_output()
    parser = argparse.ArgumentParser(description="VeighNa Trader with AiAgent")
    parser.add_argument("--headless", action="store_true", help="run AiAgent without a screen")
    headless = parser.parse_args().headless
    try:
        if headless:
            run_headless()
            return 0
        return run_window()
    except AiAgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
