"""`aiagent doctor`: is everything in place, and what to do where it is not."""

from typing import Annotated

import typer

from vnpy_aiagent.checkup import Finding, check_logins, check_settings, check_system
from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    ConfigOption,
    JsonOption,
    absolute,
    print_json,
    print_line,
    quiet_vnpy,
    user_settings,
)
from vnpy_aiagent.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    config: ConfigOption = None,
    online: Annotated[
        bool, typer.Option(help="Ask the model one short question, and try the brokers' servers.")
    ] = True,
    login: Annotated[
        bool, typer.Option("--login", help="Log in once at each broker that the settings name.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check settings, model, data, calendar, locale, gateways and disk. Exit 1 if something must be mended.

    Example: aiagent doctor
    """
    quiet_vnpy()
    findings = [*check_system()]
    try:
        settings = user_settings(absolute(config) if config else None)
    except ConfigError as error:
        findings.append(Finding("settings", "fail", str(error), "correct the setting"))
    else:
        findings += check_settings(settings, online=online)
        if login:
            findings += check_logins(settings)
    failed = any(finding.grade == "fail" for finding in findings)
    if as_json:
        print_json({"ok": not failed, "findings": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            print_line(f"[{finding.grade:<4}] {finding.check}: {finding.found}")
            if finding.advice:
                print_line(f"       -> {finding.advice}")
    if failed:
        raise typer.Exit(CHECK_FAILED)
