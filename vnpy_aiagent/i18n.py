"""Translation by gettext. The Chinese sentence is the key; English comes from the catalogue in locale/.

The journal holds templates and figures (domain.Text); views turn them into sentences of one language here.
"""

import gettext
import re
from collections.abc import Callable
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Literal

from vnpy_aiagent.domain import Text, say

Language = Literal["zh", "en"]
Translate = Callable[[str], str]

DOMAIN = "vnpy_aiagent"
LOCALE_DIR = Path(__file__).with_name("locale")

LABELS: dict[str, str] = {
    "BUY": "买入",
    "SELL": "卖出",
    "ADD": "加仓",
    "REDUCE": "减仓",
    "CLOSE": "平仓",
    "HOLD": "不动",
    "ADJUST": "调整",
    "OPEN": "寻找开仓",
    "MANAGE": "管理持仓",
    "REPLAN": "触发后重新分析",
    "APPROVED": "通过",
    "REDUCED": "缩减",
    "REJECTED": "拒绝",
    "INTENDED": "待发送",
    "SENT": "已发送",
    "ACCEPTED": "已报",
    "PARTIAL": "部分成交",
    "FILLED": "全部成交",
    "CANCELLED": "已撤销",
    "UNKNOWN": "未知",
    "WORKING": "执行中",
    "DONE_PARTIAL": "部分成交后结束",
    "PRICE_AT_OR_ABOVE": "价格不低于",
    "PRICE_AT_OR_BELOW": "价格不高于",
    "TIME_AT": "到时",
    "FIRED": "已触发",
    "EXPIRED": "已到期",
    "REPLACED": "被替换",
    "ARMED": "已设",
    "DEFERRED_T1": "顺延下一交易日",
    "QUEUED_AT_LIMIT": "跌停排队",
    "StopState.FLAT": "已清仓",
    "TAKEN_OVER": "人工接管",
    "ACTIVE": "正常交易",
    "REDUCING": "只减仓",
    "HALTED": "已停止",
    "BULLISH": "看多",
    "NEUTRAL": "中性",
    "BEARISH": "看空",
    "INFO": "提示",
    "WARNING": "警告",
    "CRITICAL": "严重",
    "DAY": "日",
    "WEEK": "周",
    "MONTH": "月",
    "QUARTER": "季",
    "SIMULATION": "历史模拟",
    "PAPER": "模拟盘",
    "LIVE": "实盘",
    "AGGRESSIVE": "激进",
    "CONSERVATIVE": "保守",
    "JUDGE": "裁判",
    "QUANT": "量化",
    "UP": "上行",
    "DOWN": "下行",
    "FLAT": "震荡",
    "breakout": "突破",
    "trend": "趋势",
    "pullback": "回调",
    "oversold": "超跌",
    "technical_analyst": "技术分析员",
    "sentiment_analyst": "消息面分析员",
    "fundamental_analyst": "基本面分析员",
    "policy_analyst": "政策分析员",
    "environment_analyst": "市场环境分析员",
    "risk_analyst": "特殊风险分析员",
    "quarantine_reader": "消息阅读员",
    "analysts": "全体分析员",
    "RISK_ON": "风险偏好上升",
    "RISK_OFF": "风险偏好下降",
    "MIXED": "方向不明",
    "NO_DATA": "没有数据",
    "STALE": "数据太旧",
    "NO_FRESH_EVIDENCE": "没有引用新鲜依据",
    "NO_QUOTA": "调用次数用完",
    "FAILED": "没有可用结论",
    "WEIGHT_ZERO": "权重为零",
    "NO_SIGNAL": "没有看法",
    "gain": "盈利目标",
    "fall": "回落",
    "time": "到期复核",
    "target": "目标价",
    "target_weight": "目标仓位",
    "sma20": "20日均线",
    "short_history": "历史数据不足",
    "no_setup": "没有形态",
    "below_cap": "超出每日决策上限",
    "analyses_per_day": "今日分析已达上限",
    "validity": "有效期",
    "grounding": "价格依据",
    "holding": "持仓",
    "plan": "持仓计划",
    "trading_state": "交易状态",
    "fresh_quote": "当日行情",
    "price_band": "涨跌停",
    "confidence": "把握",
    "entry_premium": "追高",
    "trigger_distance": "触发距离",
    "stop_distance": "止损距离",
    "one_order": "在途委托",
    "external_position": "人工接管的持仓",
    "entries_per_day": "每日开仓次数",
    "daily_loss": "当日亏损",
    "drawdown": "回撤",
    "live_limits": "实盘限额",
    "positions": "持仓只数",
    "position_weight": "单票仓位",
    "risk_per_trade": "单笔风险",
    "exposure": "总仓位",
    "liquidity": "流动性",
    "cash": "可用资金",
    "sellable": "可卖数量",
    "lot_size": "交易单位",
    "pause": "暂停AI",
    "halt": "全部停止",
    "flatten": "一键清仓",
    "resume": "恢复交易",
    "analyze": "立即分析",
    "run_job": "运行任务",
    "cancel_trigger": "撤销触发",
    "adjust_trigger": "改触发价",
    "move_stop": "改止损价",
    "approve": "批准",
    "refuse": "拒绝",
    "take_over": "人工接管",
    "hand_back": "交还AI",
    "settle_order": "认定委托",
    "window": "窗口",
    "timeout": "到时",
    "ex_day": "除权除息",
    "paused": "AI 暂停",
    "LIMIT": "限价单",
    "TWAP": "时间均分",
    "ICEBERG": "冰山",
    "PARTICIPATION": "按量参与",
}
"""Chinese labels of enum members, setups, regimes and rules. A class name before the dot decides a tie."""

_PLACE = re.compile(r"\{(\w+?)_(\d+)\}")


@cache
def translator(language: Language) -> Translate:
    """What turns a Chinese template into one of the language; unknown templates stay as they are."""
    if language == "zh":
        return _same
    catalogue = gettext.translation(DOMAIN, LOCALE_DIR, languages=[language])

    def translate(template: str) -> str:
        return catalogue.gettext(template) if template else template  # gettext("") is the catalogue's header

    return translate


def label(value: Enum | str, translate: Translate) -> str:
    """An enum member, setup, regime or rule as people read it; a name without a label stays as it is."""
    if isinstance(value, Enum):
        own = LABELS.get(f"{type(value).__name__}.{value.name}")
        return translate(own or LABELS.get(value.name, value.name))
    return translate(LABELS.get(value, value))


def show(text: Text, translate: Translate) -> str:
    """The sentence in the translator's language; so are figures that are names or keys."""
    lines = [_line(line, number, translate) for number, line in enumerate(text.template.split("\n"))]
    figures = {name: label(value, translate) for name, value in text.figures.items()}
    return Text(template="\n".join(lines), figures=figures).render()


class Localizer:
    """One language: sentences, labels, and texts of the journal."""

    def __init__(self, language: Language) -> None:
        """`zh` or `en`."""
        self.language: Language = language
        self.translate = translator(language)

    def __call__(self, template: str, **figures: object) -> str:
        """A sentence of our own, from its Chinese template and figures."""
        return self.show(say(template, **figures)) if figures else self.translate(template)

    def show(self, text: Text) -> str:
        """A sentence of the journal."""
        return show(text, self.translate)

    def label(self, value: Enum | str) -> str:
        """An enum member, setup, regime or rule."""
        return label(value, self.translate)


def _same(template: str) -> str:
    return template


def _line(line: str, number: int, translate: Translate) -> str:
    """A debate's line is a template whose places carry the line's number: {low_2} for {low}."""
    found = translate(line)
    if found != line:
        return found
    suffixed = {name for name, suffix in _PLACE.findall(line) if suffix == str(number)}
    if not suffixed:
        return line
    bare = _PLACE.sub(lambda place: "{" + place[1] + "}" if place[2] == str(number) else place[0], line)
    found = translate(bare)
    if found == bare:
        return line
    for name in suffixed:
        found = found.replace("{" + name + "}", "{" + f"{name}_{number}" + "}")
    return found
