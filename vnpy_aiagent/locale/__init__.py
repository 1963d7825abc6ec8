"""Translations. Edit en/LC_MESSAGES/vnpy_aiagent.po, then run `python -m vnpy_aiagent.locale.build`."""
