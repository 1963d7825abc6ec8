"""One real login at a broker, in a process of its own: for `aiagent doctor --login`.

    python -m vnpy_aiagent.login_probe CTP

Prints what the gateway logged, a line each, and ends as soon as the login was answered. A gateway that aborts
the process, or never hears from its server, harms nobody but this process.
"""

import os
import subprocess
import sys
import time

from vnpy_aiagent.errors import ConfigError

LOGIN_SECONDS = 20.0
REFUSALS = ("登录失败", "授权验证失败")
ACCEPTED = "交易服务器登录成功"
NOT_READY = 3
"""Exit status where nothing was tried: the last line says why."""


def ask_login(name: str, seconds: float = LOGIN_SECONDS) -> tuple[bool, str]:
    """Log in once with the saved connection; whether that went well, and one sentence on it.

    A refused login counts as one at the broker, who may lock an account after several.
    """
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "vnpy_aiagent.login_probe", name, str(seconds)]
    try:
        done = subprocess.run(  # noqa: S603 - this very package, by the running interpreter
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds + 30,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return False, f"{name} neither answered nor ended within {seconds + 30:.0f} s"
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if done.returncode == NOT_READY and lines:
        return False, lines[-1]
    if done.returncode not in (0, 1):
        told = done.stderr.strip().splitlines()
        return (
            False,
            f"{name} ended its process (status {done.returncode}): {told[-1] if told else 'no word'}",
        )
    if any(ACCEPTED in line for line in lines):
        return True, f"{name}: {next(line for line in lines if ACCEPTED in line)}"
    refused = [line for line in lines if any(word in line for word in REFUSALS)]
    if refused:
        return False, f"{name}: {refused[-1]}"
    return False, f"{name}: no answer to a login within {seconds:.0f} s; last word: {(lines or ['none'])[-1]}"


def main(name: str, seconds: float) -> None:
    """Connect, print the gateway's log, end."""
    from vnpy.event import Event, EventEngine
    from vnpy.trader.engine import MainEngine
    from vnpy.trader.event import EVENT_LOG
    from vnpy.trader.setting import SETTINGS

    from vnpy_aiagent import brokers

    SETTINGS["log.console"] = SETTINGS["log.file"] = False
    heard: list[str] = []

    def on_log(event: Event) -> None:
        if event.data.gateway_name == name:
            heard.append(event.data.msg)
            sys.stdout.write(event.data.msg + "\n")
            sys.stdout.flush()

    main_engine = MainEngine(EventEngine())
    status = 1
    try:
        main_engine.event_engine.register(EVENT_LOG, on_log)
        brokers.connect(main_engine, brokers.add_gateways(main_engine, [name]))
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up and not any(
            word in line for line in heard for word in (*REFUSALS, ACCEPTED)
        ):
            time.sleep(0.05)
        status = 0 if any(ACCEPTED in line for line in heard) else 1
    except ConfigError as error:
        sys.stdout.write(f"{error}\n")
        status = NOT_READY
    brokers.leave(main_engine)
    brokers.end_process(status)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else LOGIN_SECONDS)
