"""`aiagent status | pause | halt | flatten | resume`: the controls, on a running or a stopped system.

`approve | refuse | take-over | hand-back | settle-order` are for a running one alone.

A running process holds the journal's lease; it gets the command through its inbox and answers. Without one
the command changes the state at rest, under the same lease.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from vnpy_aiagent.cli.common import (
    CHECK_FAILED,
    ConfigOption,
    JournalOption,
    JsonOption,
    absolute,
    print_json,
    print_line,
    quiet_vnpy,
    user_settings,
)
from vnpy_aiagent.cli.control_lines import control_lines
from vnpy_aiagent.config import load_settings
from vnpy_aiagent.domain import CommandTaken, IdFactory, LiveClock, Message, StateChanged, TradingState, typed
from vnpy_aiagent.errors import ConfigError, JournalError, JournalLocked
from vnpy_aiagent.i18n import Localizer
from vnpy_aiagent.store.database import close_database, is_postgres, open_database
from vnpy_aiagent.store.inbox import Inbox
from vnpy_aiagent.store.journal import Draft, Journal

ANSWER_SECONDS = 10.0
POLL_SECONDS = 0.1
WHO = "aiagent"
AT_REST = "this needs the running system: start it, then give the command again"
RUNNING_ONLY = ("approve", "refuse", "take_over", "hand_back", "settle_order")
ApprovalArgument = Annotated[str, typer.Argument(help="Its id, as `status` lists it.")]
AccountArgument = Annotated[str, typer.Argument(help="Name of the account.")]
SymbolArgument = Annotated[str, typer.Argument(help="vt_symbol, such as 600519.SSE.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    people = (approve, refuse, take_over, hand_back, settle_order)
    for command in (status, pause, halt, flatten, resume, *people):
        app.command(command.__name__.replace("_", "-"))(command)


def status(config: ConfigOption = None, journal: JournalOption = "", as_json: JsonOption = False) -> None:
    """State, mode, agents, accounts and alerts of the running or stopped system.

    Example: aiagent status --json
    """
    _finish(_do(config, journal, "status", {}), as_json=as_json)


def pause(config: ConfigOption = None, journal: JournalOption = "", as_json: JsonOption = False) -> None:
    """No new decisions; protective stops stay on.

    Example: aiagent pause
    """
    _finish(_do(config, journal, "pause", {}), as_json=as_json)


def halt(
    reason: Annotated[str, typer.Option(help="Why, for the journal.")],
    config: ConfigOption = None,
    journal: JournalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Stop all: cancel working orders and send nothing but cancels until resumed.

    Example: aiagent halt --reason "broker trouble"
    """
    _finish(_do(config, journal, "halt", {"reason": reason}), as_json=as_json)


def flatten(config: ConfigOption = None, journal: JournalOption = "", as_json: JsonOption = False) -> None:
    """Close the managed positions: now what may be sold now, the rest at the next chance.

    Example: aiagent flatten
    """
    _finish(_do(config, journal, "flatten", {}), as_json=as_json)


def resume(config: ConfigOption = None, journal: JournalOption = "", as_json: JsonOption = False) -> None:
    """Lift HALTED, REDUCING or the pause. Only a person may.

    Example: aiagent resume
    """
    _finish(_do(config, journal, "resume", {}), as_json=as_json)


def approve(
    approval: ApprovalArgument,
    config: ConfigOption = None,
    journal: JournalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let an order go that waits for a human; `status` lists those that wait. Exit 1 where it came too late.

    Example: aiagent approve r3-0000042
    """
    _finish(_do(config, journal, "approve", {"approval": approval}), as_json=as_json)


def refuse(
    approval: ApprovalArgument,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    config: ConfigOption = None,
    journal: JournalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Drop an order that waits for a human.

    Example: aiagent refuse r3-0000042 --reason "results are due tonight"
    """
    _finish(_do(config, journal, "refuse", {"approval": approval, "reason": reason}), as_json=as_json)


def take_over(
    account: AccountArgument,
    symbol: SymbolArgument,
    config: ConfigOption = None,
    journal: JournalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Manage a position yourself: the app cancels its orders, stop and triggers there and never sells it.

    Example: aiagent take-over judge 600519.SSE
    """
    _finish(_do(config, journal, "take_over", {"account": account, "symbol": symbol}), as_json=as_json)


def hand_back(
    account: AccountArgument,
    symbol: SymbolArgument,
    stop: Annotated[str, typer.Option(help="Its stop in CNY; default 8 % below cost.")] = "",
    config: ConfigOption = None,
    journal: JournalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let the app manage a position again that you took over.

    Example: aiagent hand-back judge 600519.SSE --stop 1350
    """
    arguments = {"account": account, "symbol": symbol, "stop": stop}
    _finish(_do(config, journal, "hand_back", arguments), as_json=as_json)


def settle_order(
    intent: Annotated[str, typer.Argument(help="Id of the intent, as the alert and `status` give it.")],
    order: Annotated[str, typer.Option(help="The broker's order that it became, a vt_orderid.")] = "",
    none: Annotated[bool, typer.Option("--none", help="The broker has no such order.")] = False,
    config: ConfigOption = None,
    journal: JournalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say what became of an order whose fate is unknown, once you have looked at the broker's. Sends nothing.

    Example: aiagent settle-order r3-0000042 --order XTP.12345
    """
    if bool(order) == none:
        raise ConfigError("give either --order with the broker's order or --none")
    _finish(_do(config, journal, "settle_order", {"intent": intent, "order": order}), as_json=as_json)


def _do(config: Any, journal: str, command: str, args: Mapping[str, str]) -> dict[str, Any]:
    quiet_vnpy()
    from vnpy_aiagent.wiring import journal_target

    settings = user_settings(absolute(config) if config else None)
    target = journal or journal_target(settings)
    args = {name: typed(value) for name, value in args.items()}  # a terminal may send bytes that are no text
    if (
        command in ("status", *RUNNING_ONLY)
        and journal
        and not is_postgres(journal)
        and not Path(journal).is_file()
    ):
        raise JournalError(f"there is no journal at {journal}; check the path given to --journal")
    try:
        held = Journal.open(target, owner=f"{WHO} {command}")
    except JournalLocked:
        return _ask(target, command, args)
    try:
        if command in RUNNING_ONLY:
            return {"command": command, "running": False, "error": f"nothing runs on {target}; {AT_REST}"}
        return _at_rest(held, target, settings.mode.name, command, args)
    finally:
        held.close()


def _ask(target: str, command: str, args: Mapping[str, str]) -> dict[str, Any]:
    """Leave the command for the running process and wait for its answer."""
    database = open_database(target)
    try:
        inbox = Inbox(database)
        number = inbox.post(command, args, WHO, LiveClock().now().isoformat())
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            answer = inbox.result(number)
            if answer is not None:
                value = json.loads(answer)
                result = value if isinstance(value, dict) else {"result": value}
                return result if command == "status" else {"command": command, "running": True} | result
            time.sleep(POLL_SECONDS)
    finally:
        close_database(database)
    raise JournalError(
        f"the running system did not answer within {ANSWER_SECONDS:.0f} s; the command stays in its inbox. "
        "If its event thread is dead, close the trader and cancel at the broker's own terminal"
    )


def _at_rest(
    journal: Journal, target: str, mode: str, command: str, args: Mapping[str, str]
) -> dict[str, Any]:
    from vnpy_aiagent.agents.restore import KINDS, Restorer

    restored = Restorer().fold(journal.read(kinds=KINDS))
    state, paused = restored.state, restored.paused
    changes: dict[str, tuple[TradingState, bool]] = {
        "pause": (state, True),
        "halt": (TradingState.HALTED, True),
        "resume": (TradingState.ACTIVE, False),
        "flatten": (TradingState.REDUCING, True),
    }
    if command in changes:
        state, paused = changes[command]
        _supersede(target, command)
        _journal_state(journal, command, args, state, paused=paused)
    if command == "flatten":
        _post_for_later(target, command, args)
    return {
        "state": state.name,
        "paused": paused,
        "mode": mode,
        "running": False,
        "agents": {},
        "accounts": [
            {
                "name": name,
                "style": book.style.name,
                "cash": float(book.cash),
                "positions": {symbol: position.volume for symbol, position in sorted(book.positions.items())},
                "external": dict(sorted(book.external.items())),
            }
            for name, book in restored.books.items()
        ],
        "alerts": [],
        "approvals": [],
        "slips": [],
        "unknown_orders": [],
    }


def _journal_state(
    journal: Journal, command: str, args: Mapping[str, str], state: TradingState, *, paused: bool
) -> None:
    clock = LiveClock()
    ids = IdFactory(f"c{journal.head.seq + 1}")
    taken = CommandTaken(id=ids.next(), at=clock.now(), command=command, arguments=dict(args), by=WHO)
    changed = StateChanged(
        id=ids.next(),
        at=clock.now(),
        cause=taken.id,
        state=state,
        paused=paused,
        by=WHO,
        reason=args.get("reason", command),
    )
    journal.append([_draft(taken), _draft(changed)], wall=clock.now().isoformat())


def _post_for_later(target: str, command: str, args: Mapping[str, str]) -> None:
    """Selling needs a running system: the next one takes the command from its inbox."""
    database = open_database(target)
    try:
        Inbox(database).post(command, args, WHO, LiveClock().now().isoformat())
    finally:
        close_database(database)


def _supersede(target: str, command: str) -> None:
    """The newest word wins: what still waits in the inbox must not be carried out after it."""
    database = open_database(target)
    try:
        inbox = Inbox(database)
        for waiting in inbox.take():
            inbox.done(waiting.id, json.dumps({"error": f"superseded by {command}"}))
    finally:
        close_database(database)


def _draft(message: Message) -> Draft:
    return Draft(
        id=message.id,
        at=message.at.isoformat(),
        kind=message.kind,
        account=message.account,
        cause=message.cause,
        body=message.model_dump_json(),
    )


def _finish(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
    else:
        for line in control_lines(result, Localizer(load_settings().display_language)):
            print_line(line)
    if "error" in result or False in (result.get("approved"), result.get("refused")):
        raise typer.Exit(CHECK_FAILED)
