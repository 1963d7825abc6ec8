"""From paper to live: what has to be in place, and what a human has to decide, page by page."""

from vnpy_aiagent.ui.wizard.wizard import LiveWizard

__all__ = ["LiveWizard"]
