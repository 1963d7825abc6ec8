"""What people decide themselves: approvals, orders placed by hand, positions taken over, a dry run.

Part of AiAgentEngine's commands; see `commands` for what holds for all of them.
"""

from decimal import Decimal, InvalidOperation

from vnpy.trader.engine import WechatEngine
from vnpy.trader.setting import SETTINGS

from vnpy_aiagent.agents.slips import slip_text
from vnpy_aiagent.agents.ticket import OrderTicket, dry_run
from vnpy_aiagent.base import APP_NAME, EVENT_AI_HANDOVER
from vnpy_aiagent.commands import HUMAN, Commands
from vnpy_aiagent.domain import (
    ApprovalAsked,
    ManualSlip,
    PositionHandedBack,
    PositionTakenOver,
    Severity,
    Side,
    StateChanged,
    TradingState,
    say,
    typed,
)
from vnpy_aiagent.errors import ConfigError
from vnpy_aiagent.i18n import show
from vnpy_aiagent.portfolio import AccountBook
from vnpy_aiagent.store.inbox import Command
from vnpy_aiagent.triggers import fallback_stop


class ManualCommands(Commands):
    """Commands with which people stand in for the app."""

    # approvals

    def pending_approvals(self) -> list[ApprovalAsked]:
        """Signals that wait for a human now, oldest first."""
        self._require_running()
        with self.bus.turn:
            return self.execution.approvals.waiting()

    def approve(self, approval_id: str, by: str = HUMAN) -> bool:
        """Let a signal go on into the market.

        False where it is answered or lapsed already, and where state or prices forbid it by now; the log
        says which.
        """
        self._require_running()
        by = typed(by)
        with self.bus.turn:
            self._take("approve", by, approval=approval_id)
            return self.execution.approvals.approve(approval_id, by)

    def refuse(self, approval_id: str, reason: str = "", by: str = HUMAN) -> bool:
        """Drop a signal; False where it is answered or lapsed already."""
        self._require_running()
        reason, by = typed(reason), typed(by)
        with self.bus.turn:
            self._take("refuse", by, approval=approval_id, reason=reason)
            return self.execution.approvals.refuse(approval_id, by, reason)

    # orders for people

    def slips(self) -> list[ManualSlip]:
        """Today's orders that could not be sent and that a human should see to, oldest first."""
        self._require_running()
        with self.bus.turn:
            return self.execution.slips.today()

    def dry_run_ticket(self, account: str, vt_symbol: str) -> OrderTicket:
        """What a buy of one lot would be now, with the risk rules' word; nothing is sent or journaled.

        Raises ConfigError for an unknown account or symbol, and without a quote of today.
        """
        self._require_running()
        with self.bus.turn:
            self._book(account)
            if vt_symbol not in self.parts.universe.symbols:
                raise ConfigError(f"{vt_symbol} is not in the universe; add it to `universe` in the settings")
            return dry_run(self.house, self.risk, account, vt_symbol)

    # orders of unknown fate

    def settle_order(self, intent_id: str, vt_orderid: str = "", by: str = HUMAN) -> bool:
        """Say which of the broker's orders an intent of unknown fate became, or that it became none ("").

        True where an order was adopted. Nothing is sent; the positions are compared with the broker's at the
        next look. Raises ConfigError outside mode LIVE, for an intent whose fate is not open and for an
        order that it cannot be.
        """
        self._require_running()
        by = typed(by)
        with self.bus.turn:
            if self.reconciler is None:
                raise ConfigError("orders of unknown fate exist in mode LIVE alone; nothing to settle")
            command = self._take("settle_order", by, intent=intent_id, order=vt_orderid)
            intent = self.reconciler.fates.settle(intent_id, vt_orderid, self.main_engine.get_all_orders())
            figures = {"account": intent.account, "symbol": intent.symbol, "by": by}
            sentence = say("{account} {symbol} 状态不明的委托由 {by} 认定为未到柜台，不会重发", **figures)
            if vt_orderid:
                sentence = say(
                    "{account} {symbol} 状态不明的委托由 {by} 认定为柜台的 {order}",
                    **figures,
                    order=vt_orderid,
                )
            self.bus.alert(Severity.WARNING, sentence, cause=command.id, account=intent.account)
            return bool(vt_orderid)

    # positions

    def take_over(self, account: str, vt_symbol: str, by: str = HUMAN) -> int:
        """A human manages a position from now on; returns its shares.

        Its working orders are cancelled, its stop and triggers end; it still counts as exposure. Raises
        ConfigError for an unknown account, and where the account has no position that the app manages.
        """
        self._require_running()
        by = typed(by)
        with self.bus.turn:
            book = self._held(account, vt_symbol)
            if not book.managed(vt_symbol):
                raise ConfigError(f"{vt_symbol} in account {account!r} is taken over already")
            command = self._take("take_over", by, account=account, symbol=vt_symbol)
            working = self.execution.orders_in(account, vt_symbol)
            orders = tuple(parent.order.id for parent in working)
            volume = book.take_over(vt_symbol, orders)
            taken = self.bus.post(
                PositionTakenOver,
                EVENT_AI_HANDOVER,
                cause=command.id,
                account=account,
                symbol=vt_symbol,
                volume=volume,
                orders=orders,
                by=by,
            )
            self.execution.overtaken.mark(taken.id, account, vt_symbol)
            self.execution.approvals.lapse(
                "take_over",
                say("持仓已由人工接管，系统不再管理"),
                lambda signal: signal.account == account and signal.symbol == vt_symbol,
            )
            self.monitoring.release(account, vt_symbol, taken.id)
            self.execution.cancel(*working)
            sentence = say(
                "{account} {symbol} {volume} 股已由人工接管：止损和触发已撤除，系统不再买卖",
                account=account,
                symbol=vt_symbol,
                volume=volume,
            )
            self.bus.alert(Severity.WARNING, sentence, cause=taken.id, account=account)
            return volume

    def hand_back(self, account: str, vt_symbol: str, by: str = HUMAN, stop: Decimal | None = None) -> int:
        """The app manages a position again, with a stop (CNY; by default 8 % below cost); returns its shares.

        Raises ConfigError for an unknown account, a position that nobody took over, a stop that is off the
        tick or not below the last price, and unless the trading state is ACTIVE or HALTED.
        """
        self._require_running()
        by = typed(by)
        with self.bus.turn:
            book = self._held(account, vt_symbol)
            if vt_symbol not in book.external:
                raise ConfigError(
                    f"{vt_symbol} in account {account!r} was not taken over; nothing to hand back"
                )
            if self.control.state is TradingState.REDUCING:
                raise ConfigError("a flatten is under way and would sell it at once; resume first")
            price = self._new_stop(book, vt_symbol, stop)
            command = self._take(
                "hand_back", by, account=account, symbol=vt_symbol, stop="" if stop is None else str(stop)
            )
            book.hand_back(vt_symbol)
            volume = book.volume(vt_symbol)
            back = self.bus.post(
                PositionHandedBack,
                EVENT_AI_HANDOVER,
                cause=command.id,
                account=account,
                symbol=vt_symbol,
                volume=volume,
                stop=price,
                by=by,
            )
            self.monitoring.protect(account, vt_symbol, price, back.id)
            sentence = say(
                "{account} {symbol} {volume} 股已交还系统管理，止损 {stop}",
                account=account,
                symbol=vt_symbol,
                volume=volume,
                stop=price,
            )
            self.bus.alert(Severity.INFO, sentence, cause=back.id, account=account)
            return volume

    def flatten(self, by: str = HUMAN) -> list[str]:
        """As Commands.flatten; positions that a human took over are left alone, and named in an alert."""
        self._require_running()
        with self.bus.turn:
            locked = super().flatten(by)
            external = self._external()
            if external:
                sentence = say("一键清仓不含人工接管的持仓：{held}", held="、".join(external))
                self.bus.alert(Severity.WARNING, sentence)
            return locked

    def status(self) -> dict[str, object]:
        """As Commands.status, with `approvals` that wait, `slips` of today and ids of `unknown_orders`."""
        found = super().status() | {"approvals": [], "slips": [], "unknown_orders": []}
        if self.started and not self.closed and self.reconciler is not None:
            with self.bus.turn:
                found["unknown_orders"] = self.reconciler.fates.open_intents()
        if self.started and not self.closed:
            found["approvals"] = [asked.model_dump(mode="json") for asked in self.pending_approvals()]
            found["slips"] = [slip.model_dump(mode="json") for slip in self.slips()]
        return found

    # parts

    def _set_state(
        self, state: TradingState, *, paused: bool, by: str, reason: str, cause: str | None = None
    ) -> StateChanged:
        """What waits for a human lapses: all of it when HALTED, entries when REDUCING.

        But for a pause, which leaves what is decided alone, a change voids the signals posted before it.
        """
        changed = super()._set_state(state, paused=paused, by=by, reason=reason, cause=cause)
        if reason != "pause":
            self.execution.overtaken.mark(changed.id)
        approvals = self.execution.approvals
        if state is TradingState.HALTED:
            approvals.lapse("halt", say("交易已停止（HALTED），委托未发送"))
        elif state is TradingState.REDUCING:
            sentence = say("当前只减仓（REDUCING），买单未发送")
            approvals.lapse("flatten", sentence, lambda signal: signal.side is Side.BUY)
        return changed

    def _carry_out(self, command: Command) -> object:
        args, by = command.args, command.by
        match command.command:
            case "approve":
                found: object = {"approved": self.approve(args["approval"], by)}
            case "refuse":
                found = {"refused": self.refuse(args["approval"], args.get("reason", ""), by)}
            case "take_over":
                found = {"volume": self.take_over(args["account"], args["symbol"], by)}
            case "hand_back":
                stop = _price(args.get("stop", ""))
                found = {"volume": self.hand_back(args["account"], args["symbol"], by, stop)}
            case "settle_order":
                found = {"adopted": self.settle_order(args["intent"], args.get("order", ""), by)}
            case "flatten":
                found = {"locked": self.flatten(by), "external": self._external()}
            case _:
                found = super()._carry_out(command)
        return found

    def _external(self) -> list[str]:
        books = self.house.portfolio.books
        return [f"{name} {symbol}" for name, book in books.items() for symbol in sorted(book.external)]

    def _book(self, account: str) -> AccountBook:
        books = self.house.portfolio.books
        if account not in books:
            raise ConfigError(f"there is no account {account!r}; accounts: {', '.join(books)}")
        return books[account]

    def _held(self, account: str, vt_symbol: str) -> AccountBook:
        book = self._book(account)
        if not book.volume(vt_symbol):
            held = ", ".join(sorted(book.positions)) or "nothing"
            raise ConfigError(f"account {account!r} has no position in {vt_symbol}; it holds {held}")
        return book

    def _new_stop(self, book: AccountBook, vt_symbol: str, stop: Decimal | None) -> Decimal:
        """The stop of a position that is handed back: as given, else 8 % below its cost."""
        last = self.house.portfolio.quotes.last_prices.get(vt_symbol)
        if stop is not None:
            self._require_on_tick(vt_symbol, stop)
        else:
            tick = self.house.portfolio.rules(vt_symbol).tick_size
            stop = fallback_stop(book.positions[vt_symbol].cost, tick)
        if last is None:
            raise ConfigError(f"no price of {vt_symbol} is known yet; hand it back once quotes arrive")
        if stop >= last:
            raise ConfigError(
                f"a stop at {stop} CNY is not below the last price {last} of {vt_symbol}; give a lower one"
            )
        return stop

    def _on_slip(self, slip: ManualSlip) -> None:
        """Send the slip wherever vnpy sends notifications, if that is set up; vnpy's own threads send it."""
        if self.parts.quiet:
            return
        text = show(slip_text(slip), self._translate)
        wechat = self.main_engine.engines.get("wechat")
        if SETTINGS["email.receiver"]:
            self.main_engine.send_notification(text, APP_NAME)
        elif isinstance(wechat, WechatEngine):  # send_notification would log that there is no mailbox
            wechat.send_wechat(f"{APP_NAME}\n{text}")


def _price(text: str) -> Decimal | None:
    """A price from another process; ConfigError where it is none."""
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ConfigError(f"{text!r} is no price; write it like 12.34") from None
