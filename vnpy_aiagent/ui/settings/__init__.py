"""The settings dialog: model, risk, timetable, universe, and the rest."""

from vnpy_aiagent.ui.settings.dialog import SettingsDialog

__all__ = ["SettingsDialog"]
