"""What people do to the engine: asked first, done on a thread of its own, told afterwards."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from PySide6.QtWidgets import QMessageBox, QWidget

from vnpy_aiagent.domain import ApprovalAsked, TriggerSpec
from vnpy_aiagent.engine import AiAgentEngine
from vnpy_aiagent.triggers import FALLBACK_SHARE
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.confirm import ConfirmDialog, tell
from vnpy_aiagent.ui.explain import explain_refusal
from vnpy_aiagent.ui.price_dialog import PriceDialog
from vnpy_aiagent.ui.snapshot import PositionRow
from vnpy_aiagent.ui.take_over import TakeOverDialog
from vnpy_aiagent.ui.theme import CALM, CAUTION, DANGER, GAIN, MUTED
from vnpy_aiagent.ui.words import Words

WHO = "window"
Say = Callable[[str, str], object]


class Controls:
    """One method for each thing that the window offers. None waits for the engine on the GUI thread."""

    def __init__(
        self,
        window: QWidget,
        engine: AiAgentEngine,
        words: Words,
        background: Background,
        say: Say,
        changed: Callable[[], None],
    ) -> None:
        """`say` shows a line in a colour; `changed` is called when the engine has done something."""
        self._window, self._engine, self._words = window, engine, words
        self._background, self._say, self._changed = background, say, changed

    # the four controls, and back

    def pause(self) -> None:
        """No new decisions."""
        words = self._words
        text = words("AI 不再作新决策，触发暂不处理；保护性止损照常，在途委托不撤。可以随时恢复。确定暂停？")
        dialog = ConfirmDialog(self._window, words("暂停AI"), text, words("暂停AI"), words, CAUTION)
        dialog.ask(lambda _: self._do(lambda: self._engine.pause(WHO), words("AI 已暂停，止损照常")))

    def halt(self) -> None:
        """Everything stops."""
        words = self._words
        text = words(
            "将撤销所有在途委托，此后只发撤单，止损也不会发出，直到人工恢复。持仓不会卖出。确定全部停止？"
        )
        proposed = words("人工停止")
        dialog = ConfirmDialog(
            self._window, words("全部停止"), text, words("全部停止"), words, DANGER, reason=proposed
        )
        dialog.ask(
            lambda reason: self._do(lambda: self._engine.halt(reason or proposed, WHO), words("已全部停止"))
        )

    def flatten(self, count: int) -> None:
        """Close the `count` positions that the AI manages."""
        words = self._words
        text = words(
            "将卖出 AI 管理的全部 {count} 个持仓，撤销开仓委托，不再开新仓；今天不能卖的下一时机再卖，"
            "人工接管的不动。确定一键清仓？",
            count=count,
        )
        dialog = ConfirmDialog(self._window, words("一键清仓"), text, words("一键清仓"), words, DANGER)
        dialog.ask(lambda _: self._background.run(self._flatten, self._flattened, self.complain))

    def resume(self) -> None:
        """Back to normal trading."""
        words = self._words
        text = words("将回到正常交易：AI 可以开新仓，止损照常发出。确定恢复？")
        dialog = ConfirmDialog(self._window, words("恢复"), text, words("恢复"), words, CALM)
        dialog.ask(lambda _: self._do(lambda: self._engine.resume(WHO), words("已恢复正常交易")))

    def take_over(self, positions: Sequence[PositionRow], chosen: PositionRow | None = None) -> None:
        """Offer the AI's positions; those that are ticked are people's from then on."""
        managed = [row for row in positions if row.managed]
        dialog = TakeOverDialog(self._window, self._words, managed, chosen)
        dialog.ask(self._take_over)

    def hand_back(self, row: PositionRow) -> None:
        """Give a position back, with a stop where one is named."""
        words = self._words
        text = words(
            "AI 将重新管理账户 {account} 的 {symbol}（{volume} 股），"
            "以下面的价格止损；留空则按成本价的 {share}。",
            account=row.account,
            symbol=row.symbol,
            volume=f"{row.external:,}",
            share=f"{FALLBACK_SHARE:.0%}",
        )
        dialog = PriceDialog(
            self._window, words("交还AI"), text, words("交还AI"), words, row.stop, optional=True
        )
        done = words("{symbol} 已交还AI", symbol=row.symbol)
        dialog.ask(
            lambda price: self._do(
                lambda: self._engine.hand_back(row.account, row.symbol, WHO, stop=price), done
            )
        )

    # triggers and stops

    def cancel_trigger(self, spec: TriggerSpec) -> None:
        """Take a trigger out of the book."""
        words = self._words
        text = words(
            "撤销 {account} {symbol} 的触发 {id}？之后不会再因它重新分析。",
            account=spec.account,
            symbol=spec.symbol,
            id=spec.id,
        )
        dialog = ConfirmDialog(self._window, words("撤销触发"), text, words("撤销触发"), words, CAUTION)
        dialog.ask(lambda _: self._do(lambda: self._engine.cancel_trigger(spec.id, WHO), words("触发已撤销")))

    def adjust_trigger(self, spec: TriggerSpec, last: Decimal | None) -> None:
        """Give a price trigger another level."""
        words = self._words
        text = words(
            "改动 {account} {symbol} 的触发（{kind}）。现价 {last} 元；原来的触发由新的代替。",
            account=spec.account,
            symbol=spec.symbol,
            kind=words.label(spec.trigger),
            last="-" if last is None else last,
        )
        dialog = PriceDialog(self._window, words("改触发价"), text, words("改触发价"), words, spec.price)

        def then(price: Decimal | None) -> None:
            if price is not None:
                self._do(lambda: self._engine.adjust_trigger(spec.id, price, WHO), words("触发价已改"))

        dialog.ask(then)

    def move_stop(self, row: PositionRow) -> None:
        """Give a position's protective stop another price."""
        words = self._words
        text = words(
            "改动 {account} {symbol} 的保护性止损。现价 {last} 元；止损价要低于现价，调低会放大可能的亏损。",
            account=row.account,
            symbol=row.symbol,
            last="-" if row.last is None else row.last,
        )
        dialog = PriceDialog(self._window, words("改止损价"), text, words("改止损价"), words, row.stop)

        def then(price: Decimal | None) -> None:
            if price is not None:
                done = words("{symbol} 的止损价已改为 {price}", symbol=row.symbol, price=price)
                self._do(lambda: self._engine.move_stop(row.account, row.symbol, price, WHO), done)

        dialog.ask(then)

    # approvals, jobs

    def approve(self, asked: ApprovalAsked, ended: Callable[[bool], None]) -> None:
        """Let a signal go; `ended` hears True when the request is over, False where the call failed."""
        self._answer(lambda: self._engine.approve(asked.id, WHO), self._words("已批准"), ended)

    def refuse(self, asked: ApprovalAsked, reason: str, ended: Callable[[bool], None]) -> None:
        """Drop a signal, with a reason; `ended` as for `approve`."""
        self._answer(lambda: self._engine.refuse(asked.id, reason, WHO), self._words("已拒绝"), ended)

    def run_job(self, name: str) -> None:
        """Run a job of the timetable now."""
        self._do(lambda: self._engine.run_job(name, WHO), self._words("任务 {job} 已开始", job=name))

    def complain(self, error: Exception) -> None:
        """Say why something did not succeed, in the bar and in a box."""
        sentence = explain_refusal(error, self._words)
        self._say(sentence, GAIN)
        tell(self._window, self._words("没有成功"), sentence, QMessageBox.Icon.Warning)

    # parts

    def _do(self, work: Callable[[], object], sentence: str) -> None:
        def done(_: object) -> None:
            self._say(sentence, MUTED)
            self._changed()

        self._background.run(work, done, self.complain)

    def _flatten(self) -> list[str]:
        return self._engine.flatten(WHO)

    def _flattened(self, locked: list[str]) -> None:
        words = self._words
        if locked:
            names = "、".join(locked)
            self._say(words("正在清仓；现在不能卖、留待下一时机：{names}", names=names), MUTED)
        else:
            self._say(words("正在清仓"), MUTED)
        self._changed()

    def _take_over(self, rows: Sequence[PositionRow]) -> None:
        words, engine = self._words, self._engine

        def work() -> None:
            for row in rows:
                engine.take_over(row.account, row.symbol, WHO)

        names = "、".join(row.symbol for row in rows)
        self._do(work, words("已人工接管 {names}", names=names))

    def _answer(self, work: Callable[[], object], sentence: str, ended: Callable[[bool], None]) -> None:
        def done(taken: object) -> None:
            in_time = taken is not False
            ended(True)
            late = self._words("没有下单：请求已有答复、已到时，或现在的状态和价格不允许，原因见“日志”")
            self._say(sentence if in_time else late, MUTED if in_time else GAIN)
            self._changed()

        def failed(error: Exception) -> None:
            ended(False)
            self.complain(error)

        self._background.run(work, done, failed)
