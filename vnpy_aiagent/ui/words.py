"""Sentences of the window: its own catalogue first, then that of the whole package."""

import gettext
from pathlib import Path

from vnpy_aiagent.i18n import DOMAIN, LOCALE_DIR, Language, Localizer

UI_DOMAIN = "vnpy_aiagent_ui"
UI_LOCALE_DIR = Path(__file__).with_name("locale")


class Words(Localizer):
    """A Localizer that knows the window's sentences too. Called with a Chinese template and its figures."""

    def __init__(self, language: Language) -> None:
        """`zh` or `en`."""
        super().__init__(language)
        if language == "zh":
            return
        catalogue = gettext.translation(UI_DOMAIN, UI_LOCALE_DIR, languages=[language])
        catalogue.add_fallback(gettext.translation(DOMAIN, LOCALE_DIR, languages=[language]))

        def translate(template: str) -> str:
            return catalogue.gettext(template) if template else template

        self.translate = translate
