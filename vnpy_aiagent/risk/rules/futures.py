"""Rules for futures contracts: those that count shares or cash, said for contracts and margin, and two more.

They share one file because each replaces the rule of the same name for contracts alone; `contract` and
`margin` have no counterpart for shares. Volumes in contracts, amounts in CNY.
"""

from decimal import Decimal
from math import isfinite

from vnpy_aiagent.domain import RuleLine, Side, say, to_decimal
from vnpy_aiagent.market import default_calendar
from vnpy_aiagent.risk.context import RiskContext, Rule, bounded, passed, percent, refused


class ContractRule:
    """No entry in a contract that is in its delivery month, or has stopped trading."""

    name = "contract"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Ask the contract's rules of today."""
        error = context.rules.opening_error(default_calendar())
        if error is not None:
            return refused(self.name, say("合约不可开仓：{why}", why=error))
        return passed(self.name, say("合约可以开仓"))


class ContractWeightRule:
    """The margin of what is held and wanted of one contract at most cap x equity, and not too many."""

    name = "position_weight"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume by margin and by count."""
        cap, count = context.limits.max_weight_futures, context.limits.max_contracts
        if context.equity <= 0:
            return refused(self.name, say("账户权益不为正"))
        held = context.held + context.working
        most = min(int(context.equity * to_decimal(cap) / context.unit_margin), count) - held
        weight = (held + max(context.wanted, 1)) * context.unit_margin / context.equity
        return bounded(
            self.name,
            context,
            most,
            say(
                "合约保证金占权益 {weight}，上限 {cap}；最多持有 {count} 手",
                weight=percent(weight),
                cap=percent(cap),
                count=count,
            ),
        )


class ContractRiskRule:
    """Volume at most equity x ratio / loss of one contract at the stop."""

    name = "risk_per_trade"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume by the loss from the limit to the stop."""
        if context.stop is None or context.stop >= context.price:
            return refused(self.name, say("没有止损价，无法计算单笔风险"))
        ratio = context.limits.risk_per_trade
        loss = context.rules.value(context.price - context.stop, 1)
        most = int(context.equity * to_decimal(ratio) / loss)
        return bounded(
            self.name,
            context,
            most,
            say(
                "每手止损亏 {loss} 元，单笔风险上限为权益的 {cap}（最多 {most} 手）",
                loss=f"{loss:.2f}",
                cap=percent(ratio),
                most=most,
            ),
        )


class ContractExposureRule:
    """Holdings, working buys and this trade's margin at most cap x equity."""

    name = "exposure"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume by the room left."""
        cap = context.limits.max_exposure
        room = context.equity * to_decimal(cap) - context.exposure
        total = context.exposure + context.wanted * context.unit_margin
        share = total / context.equity if context.equity > 0 else 1
        return bounded(
            self.name,
            context,
            _fits(room, context.unit_margin),
            say("总仓位（期货按保证金）将达 {total}，上限 {cap}", total=percent(share), cap=percent(cap)),
        )


class MarginRule:
    """The margin of all contracts together at most cap x equity."""

    name = "margin"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume by the margin left."""
        cap = context.limits.max_margin
        room = context.equity * to_decimal(cap) - context.margin
        return bounded(
            self.name,
            context,
            _fits(room, context.unit_margin),
            say(
                "期货保证金已用 {used} 元，上限为权益的 {cap}",
                used=f"{context.margin:.2f}",
                cap=percent(cap),
            ),
        )


class ContractCashRule:
    """Margin and fees at most what is available."""

    name = "cash"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume by cash; the fee is one contract's, times the volume."""
        fee = context.rules.fees(Side.BUY, context.price, 1).total
        most = _fits(context.available, context.unit_margin + fee)
        return bounded(
            self.name,
            context,
            most,
            say("可用资金 {cash} 元，最多开 {most} 手", cash=f"{context.available:.2f}", most=most),
        )


class ContractLiquidityRule:
    """Volume at most a share of the 20-day average daily volume."""

    name = "liquidity"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Bound the volume; without a known average there is no entry."""
        if context.average_volume is None or not isfinite(context.average_volume):
            return refused(self.name, say("缺少近 20 日成交量，无法评估流动性"))
        share = context.limits.max_volume_share
        most = int(to_decimal(context.average_volume) * to_decimal(share))
        return bounded(
            self.name,
            context,
            most,
            say("不超过 20 日均量的 {share}（{most} 手）", share=percent(share), most=most),
        )


class ContractOneOrderRule:
    """An entry waits until the buys already working in its symbol have ended."""

    name = "one_order"
    entries_only = True

    def check(self, context: RiskContext) -> RuleLine:
        """Look for working buys."""
        if context.working:
            return refused(self.name, say("已有 {volume} 手买单在途", volume=context.working))
        return passed(self.name, say("没有在途买单"))


class ContractSellableRule:
    """A close at most what is held and not in working orders; today's contracts may be closed today."""

    name = "sellable"
    entries_only = False

    def check(self, context: RiskContext) -> RuleLine:
        """Bound a close; buys pass."""
        if context.side is Side.BUY:
            return passed(self.name, say("开仓不受可平数量限制"))
        if context.sellable <= 0:
            return refused(self.name, say("持有 {held} 手，可平 0 手（已在平仓）", held=context.held))
        figures = {"sellable": context.sellable, "held": context.held}
        return passed(self.name, say("可平 {sellable} 手，持有 {held} 手", **figures), context.sellable)


class ContractSizeRule:
    """The wanted volume is at least one contract and at most the largest order."""

    name = "lot_size"
    entries_only = False

    def check(self, context: RiskContext) -> RuleLine:
        """Round down to what the exchange takes."""
        buying = context.side is Side.BUY
        rules, wanted = context.rules, context.wanted
        most = rules.round_buy(wanted) if buying else rules.round_sell(wanted, context.held)
        if not most:
            return refused(self.name, say("目标 {wanted} 手，不足一手", wanted=wanted))
        return passed(self.name, say("取 {most} 手", most=most), most)


def _fits(room: Decimal, unit: Decimal) -> int:
    return int(room / unit) if room > 0 else 0


INSTEAD: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        ContractWeightRule(),
        ContractRiskRule(),
        ContractExposureRule(),
        ContractCashRule(),
        ContractLiquidityRule(),
        ContractOneOrderRule(),
        ContractSellableRule(),
        ContractSizeRule(),
    )
}
"""What contracts are judged by instead of the rule of that name."""

BESIDES: tuple[Rule, ...] = (ContractRule(), MarginRule())
"""What contracts are judged by besides."""
