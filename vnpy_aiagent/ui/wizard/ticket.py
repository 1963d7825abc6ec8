"""A page with the order that would be sent, and what the risk rules say of it. Nothing is sent."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton

from vnpy_aiagent.agents.ticket import OrderTicket
from vnpy_aiagent.ui.background import Background
from vnpy_aiagent.ui.explain import explain
from vnpy_aiagent.ui.theme import GAIN, LOSS, MUTED
from vnpy_aiagent.ui.wizard.page import Page, text_line
from vnpy_aiagent.ui.words import Words

Ticket = Callable[[str, str], OrderTicket]


class TicketPage(Page):
    """A dry run; optional, since it needs a running engine and a quote of today."""

    def __init__(
        self,
        words: Words,
        background: Background,
        accounts: Sequence[str],
        chosen: Callable[[], list[str]],
        ticket: Ticket | None,
    ) -> None:
        """`chosen` gives the symbols that were allowed; `ticket` None: no engine runs."""
        purpose = words("看一眼将要发出的委托：一手、现价、全部风控规则都走一遍，但不发送。")
        super().__init__(words, words("6. 试填委托单"), purpose)
        self._background, self._chosen, self._ticket = background, chosen, ticket
        self.tried = ""
        self.account, self.symbol = QComboBox(), QComboBox()
        self.account.addItems(list(accounts))
        self.fill = QPushButton(words("试填"))
        self.fill.setEnabled(ticket is not None)
        self.sheet = QPlainTextEdit()
        self.sheet.setReadOnly(True)
        idle = words("可以跳过这一步。")
        self.news = text_line(idle if ticket else words("AI 没有运行，不能试填；可以跳过这一步。"), MUTED)
        row = QHBoxLayout()
        for widget in (QLabel(words("账户")), self.account, QLabel(words("代码")), self.symbol, self.fill):
            row.addWidget(widget)
        row.addStretch(1)
        self.column.addLayout(row)
        self.column.addWidget(self.sheet, 1)
        self.column.addWidget(self.news)
        self.fill.clicked.connect(self._try)

    def initializePage(self) -> None:  # noqa: N802 - Qt's name
        """Offer what was allowed."""
        self.symbol.clear()
        self.symbol.addItems(self._chosen())

    def _try(self) -> None:
        if self._ticket is None:
            return
        ticket, account, symbol = self._ticket, self.account.currentText(), self.symbol.currentText()
        self.fill.setEnabled(False)
        self._say(self.words("正在取得…"), MUTED)
        self._background.run(lambda: ticket(account, symbol), self._show, self._failed)

    def _show(self, found: OrderTicket) -> None:
        words = self.words
        self.fill.setEnabled(True)
        self.tried = found.symbol
        order = words(
            "{account} 买入 {symbol} {volume} 股，限价 {price}，"
            "占用资金 {cash} 元（其中费用 {fees} 元），接口 {gateway}",
            account=found.account,
            symbol=found.symbol,
            volume=found.volume,
            price=found.price,
            cash=found.cash,
            fees=found.fees,
            gateway=found.gateway,
        )
        marks = {True: words("通过"), False: words("拒绝")}
        lines = [
            f"[{marks[line.passed]}] {words.label(line.rule)}: {words.show(line.text)}"
            for line in found.lines
        ]
        asks = words("发送前会先请你确认。") if found.asks else words("不会请你确认，直接发送。")
        self.sheet.setPlainText("\n".join([order, asks, "", *lines]))
        if found.passed:
            self._say(words("风控会放行这笔委托；这里没有发送任何委托。"), LOSS)
        else:
            self._say(words("风控不会放行这笔委托，原因见上；这里没有发送任何委托。"), GAIN)

    def _failed(self, error: Exception) -> None:
        self.fill.setEnabled(True)
        self._say(explain(error, self.words), GAIN)

    def _say(self, sentence: str, colour: str) -> None:
        self.news.setText(sentence)
        self.news.setStyleSheet(f"color: {colour};")
