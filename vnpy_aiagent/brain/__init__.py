"""One decision: request and snapshot in, proposals and trace out. Cannot trade."""

from vnpy_aiagent.brain.decide import Brain, BrainAnswer
from vnpy_aiagent.brain.scan import Scan, scan

__all__ = ["Brain", "BrainAnswer", "Scan", "scan"]
