"""What the chaos run compares: the journal on the disk, the app's own words, and the exchange's books."""

import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from vnpy_aiagent.store.journal import JournalReader, verify

ENDED = {"FILLED", "CANCELLED", "REJECTED"}


@dataclass(slots=True)
class Finding:
    """One comparison. `settled` says that nothing more is to be waited for."""

    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    fates: list[tuple[str, str]] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether all agree."""
        return not self.problems


class Ledger:
    """Reads a journal as it grows, and knows what it says of intents, orders and fills."""

    def __init__(self, path: Path) -> None:
        """The file need not be there yet."""
        self.path = path
        self.seq = 0
        self.intents: dict[str, dict[str, Any]] = {}
        self.sent: dict[str, list[str]] = {}
        self.ended: set[str] = set()
        self.fills: list[tuple[str, str, str, int, Decimal]] = []
        self.alarmed: set[str] = set()
        self.alerts: list[str] = []
        self.adjusted: list[str] = []
        self.failed: list[str] = []
        self.parents: dict[str, int] = {}
        self.filled: Counter[str] = Counter()
        self.open_after_kill: dict[str, str] = {}
        self.told_open: set[str] = set()
        self._reader: JournalReader | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def read(self) -> None:
        """Take what was committed since the last time."""
        if not self.path.exists():
            return
        if self._reader is None:
            self._reader = JournalReader.open(self.path)
        for entry in self._reader.read(after=self.seq):
            self.seq = entry.seq
            self._take(entry.kind, entry.cause or "", json.loads(entry.body))

    def _take(self, kind: str, cause: str, body: dict[str, Any]) -> None:
        match kind:
            case "Intent":
                self.intents[body["id"]] = body
            case "Sent":
                self.sent.setdefault(body["intent_id"], []).extend(body["vt_orderids"])
            case "Withheld":
                self.ended.add(body["intent_id"])
            case "OrderUpdate" if body["state"] in ENDED:
                self.ended.add(body["intent_id"])
            case "Fill":
                key = body["trading_day"], body["orderid"], body["tradeid"]
                self.fills.append((*key, int(body["volume"]), Decimal(str(body["price"]))))
                self.filled[body["parent_id"]] += int(body["volume"])
            case "ParentOrder":
                self.parents[body["id"]] = int(body["volume"])
            case "Alert":
                self.alarmed.add(cause)
                self.alerts.append(render(body["text"]))
            case "HoldingAdjusted" | "CashAdjusted":
                self.adjusted.append(f"{kind} {json.dumps(body, ensure_ascii=False)}")
            case "HandlerFailed":
                self.failed.append(f"{body['handler']}: {body['error']}")

    def after_kill(self, boundary: str) -> None:
        """Note the intents whose fate was open at the kill: neither sent for certain nor ended."""
        self.read()
        for intent_id in self.intents:
            if intent_id not in self.sent and intent_id not in self.ended:
                self.open_after_kill.setdefault(intent_id, boundary)

    def compare(self, state: dict[str, Any], report: dict[str, Any], *, halted: bool) -> Finding:
        """The journal, the app (`report`) and the exchange (`state`), which stands still."""
        self.read()
        finding = Finding()
        self._fills(state, finding)
        self._orders(state, report, finding)
        self._money(state, report, finding)
        self._app(report, finding, halted=halted)
        checked = verify(self.path)
        if not checked.ok:
            finding.problems.append(f"the journal does not verify: {checked}")
        self._unknown(report, finding)
        finding.totals = {
            "journal entries": self.seq,
            "orders at the exchange": len(state["orders"]),
            "fills": len(state["trades"]),
        }
        return finding

    def _fills(self, state: dict[str, Any], finding: Finding) -> None:
        told = {
            (day, order, trade): (volume, Decimal(price))
            for day, order, trade, volume, price in state["trades"]
        }
        booked = Counter(fill[:3] for fill in self.fills)
        lost = [key for key in told if key not in booked]
        doubled = [key for key, count in booked.items() if count > 1]
        strange = [fill for fill in self.fills if told.get(fill[:3]) != (fill[3], fill[4])]
        finding.counts["lost fills"] += len(lost)
        finding.counts["doubled fills"] += len(doubled)
        for what, found in (("lost", lost), ("booked twice", doubled), ("not the exchange's", strange)):
            if found:
                finding.problems.append(f"{len(found)} fills {what}: {found[:3]}")

    def _orders(self, state: dict[str, Any], report: dict[str, Any], finding: Finding) -> None:
        """Each order at the exchange belongs to one intent, and no intent has two."""
        owners: dict[str, list[str]] = {}
        for intent_id, vt_orderids in self.sent.items():
            for vt_orderid in set(vt_orderids):
                owners.setdefault(vt_orderid.partition(".")[2], []).append(intent_id)
        nobody = [orderid for orderid in state["orders"] if orderid not in owners]
        shared = [orderid for orderid, intents in owners.items() if len(intents) > 1]
        twice = [intent_id for intent_id, ids in self.sent.items() if len(set(ids)) > 1]
        references = Counter(filter(None, state["requests"]))
        again = [reference for reference, count in references.items() if count > 1]
        finding.counts["doubled orders"] += len(twice) + len(again) + len(nobody)
        for what, found in (
            ("that no intent owns", nobody),
            ("owned by two intents", shared),
            ("of an intent with another one", twice),
            ("sent twice under one reference", again),
        ):
            if found:
                finding.problems.append(f"{len(found)} orders {what}: {found[:3]}")
        working = {vt.partition(".")[2] for _, _, ids in report["open"] for vt in ids}
        if not set(state["working"]) <= working:
            left = sorted(set(state["working"]) - working)
            finding.problems.append(f"orders work at the exchange and not in the app: {left}")
        ghosts = sorted(working - set(state["working"]))
        if ghosts:
            finding.problems.append(f"orders work in the app and not at the exchange: {ghosts}")

    def _money(self, state: dict[str, Any], report: dict[str, Any], finding: Finding) -> None:
        if Decimal(report["cash"]) != Decimal(state["cash"]):
            finding.problems.append(f"cash: book {report['cash']}, exchange {state['cash']}")
        if report["positions"] != state["holdings"]:
            finding.problems.append(f"positions: book {report['positions']}, exchange {state['holdings']}")
        if self.adjusted:
            finding.problems.append(f"{len(self.adjusted)} adjustments of the book: {self.adjusted[-1]}")
            self.adjusted.clear()

    def _unknown(self, report: dict[str, Any], finding: Finding) -> None:
        """Every intent whose fate was open at a kill is settled now, or open with a human told."""
        open_now = {intent_id for intent_id, *_ in report["open"]}
        for intent_id, boundary in self.open_after_kill.items():
            if intent_id in self.sent:
                finding.fates.append((boundary, "adopted"))
            elif intent_id in self.ended:
                finding.fates.append((boundary, "never sent"))
            elif not (intent_id in self.alarmed and intent_id in open_now):
                finding.problems.append(f"the fate of {intent_id} is open, and nobody was told ({boundary})")
            elif intent_id not in self.told_open:
                finding.fates.append((boundary, "told first"))
        over = [n for n, volume in self.filled.items() if volume > self.parents.get(n, 0)]
        if over:
            finding.problems.append(f"more was filled than approved: {over}")
        if finding.settled:
            settled = [n for n in self.open_after_kill if n in self.sent or n in self.ended]
            self.told_open.update(n for n in self.open_after_kill if n not in settled)
            for intent_id in settled:
                del self.open_after_kill[intent_id]

    def _app(self, report: dict[str, Any], finding: Finding, *, halted: bool) -> None:
        bare = [symbol for symbol in report["managed"] if symbol not in report["stops"]]
        if bare:
            finding.problems.append(f"positions without a protective stop: {bare}")
        if halted != (report["state"] == "HALTED"):
            finding.problems.append(f"state {report['state']} after {'HALTED' if halted else 'ACTIVE'}")
        if not report["flushed"]:
            finding.problems.append("the journal was not written")
        if self.failed:
            finding.problems.append(f"{len(self.failed)} handlers failed: {self.failed[-1]}")
            self.failed.clear()


def render(text: dict[str, Any]) -> str:
    """A stored sentence with its figures."""
    words = str(text["template"])
    for name, value in text.get("figures", {}).items():
        words = words.replace("{" + name + "}", str(value))
    return words
