"""Opens VeighNa Trader with the CTA apps and AiAgent loaded; --headless runs AiAgent without a screen.

python run_vnpy.py
python run_vnpy.py --headless
"""

import argparse
import signal
import sys
import threading
from importlib import import_module
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING, cast

from vnpy.trader.setting import SETTINGS

# vnpy.trader.database reads the time zone when it is imported, so it is set before the other imports.
SETTINGS["database.timezone"] = "Asia/Shanghai"

from vnpy.event import EventEngine  # noqa: E402
from vnpy.trader.engine import MainEngine  # noqa: E402
from vnpy_ctabacktester import CtaBacktesterApp  # noqa: E402
from vnpy_ctastrategy import CtaStrategyApp  # noqa: E402

from vnpy_aiagent import AiAgentApp  # noqa: E402
from vnpy_aiagent.errors import AiAgentError  # noqa: E402

if TYPE_CHECKING:
    from vnpy_aiagent.engine import AiAgentEngine

GATEWAYS = {"vnpy_ctp": "CtpGateway", "vnpy_xtp": "XtpGateway"}
OPTIONAL_APPS = {"vnpy_datamanager": "DataManagerApp"}


def installed(classes: dict[str, str]) -> tuple[dict[str, type], list[str]]:
    """The classes of those packages that import, by package, and the names of those that do not."""
    found: dict[str, type] = {}
    missing: list[str] = []
    for package, class_name in classes.items():
        try:
            found[package] = getattr(import_module(package), class_name)
        except ImportError as error:
            missing.append(package if error.name == package else f"{package} ({error})")
    return found, missing


def build() -> tuple[MainEngine, "AiAgentEngine"]:
    """The main engine with every gateway and app that is installed; its event engine runs."""
    gateways, missing = installed(GATEWAYS)
    apps, _ = installed(OPTIONAL_APPS)
    if missing:
        print(
            f'Not loaded: {", ".join(missing)}. Install with: pip install "vnpy_aiagent[gateways]"',
            flush=True,
        )
    main_engine = MainEngine(EventEngine())
    try:
        for gateway in gateways.values():
            main_engine.add_gateway(gateway)
        for app in (CtaStrategyApp, CtaBacktesterApp, *apps.values()):
            main_engine.add_app(app)
        engine = cast("AiAgentEngine", main_engine.add_app(AiAgentApp))
    except BaseException:
        main_engine.close()  # its threads would keep the process alive
        raise
    return main_engine, engine


def run_headless() -> None:
    """Run until Ctrl+C or a polite termination, then close everything in order."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    main_engine, engine = build()
    try:
        engine.start()
        print("AiAgent is running. Ctrl+C stops it.", flush=True)
        while not stopped.wait(0.5):  # a wait without end would not let Ctrl+C through on Windows
            pass
    finally:
        main_engine.close()


def hide_apps_without_window(main_engine: MainEngine) -> None:
    """Keep an app whose package has no `ui` module out of the menu; its engine stays loaded.

    The main window imports `<app_module>.ui` of every app and stops at the first that is missing.
    """
    for app in main_engine.get_all_apps():
        if find_spec(f"{app.app_module}.ui") is None:
            del main_engine.apps[app.app_name]
            print(f"{app.app_name} is loaded and has no window: use its commands in a terminal.", flush=True)


def run_window() -> int:
    """Open VeighNa Trader; the exit status of the window."""
    from vnpy.trader.ui import MainWindow, create_qapp

    application = create_qapp()
    main_engine, _ = build()
    try:
        hide_apps_without_window(main_engine)
        window = MainWindow(main_engine, main_engine.event_engine)
    except BaseException:
        main_engine.close()
        raise
    window.showMaximized()
    return int(application.exec())


def main() -> int:
    """Read the arguments and run; the exit status."""
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


if __name__ == "__main__":  # the brain's process imports this module: nothing may start there
    sys.exit(main())
