"""Colours and small styles on top of the host's theme. Gains are red, losses green, as in China."""

from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

GAIN, LOSS = "#ff6b6b", "#3ecf8e"
CALM, CAUTION, DANGER, NEUTRAL, ACCENT = "#1f8a5b", "#b7791f", "#c53030", "#5a6675", "#2b6cb0"
MUTED = "#9da9b5"
CURVE_COLOURS = ("#ff9f43", "#54a0ff", "#1dd1a1", "#f368e0", "#feca57", "#c8d6e5")

ROOMY = "QPushButton { padding: 4px 12px; } QTabBar::tab { padding: 6px 14px; }"
"""On top of the host's theme, for windows and dialogs: room around words that are not Latin."""
_BADGE = (
    "QLabel {{ background-color: {colour}; color: white; border-radius: 4px;"
    " padding: 3px 10px; font-weight: bold; }}"
)
_BUTTON = """
QPushButton {{ background-color: {colour}; color: white; border: none; border-radius: 4px;
               padding: 5px 14px; font-weight: bold; }}
QPushButton:hover {{ background-color: {hover}; }}
QPushButton:disabled {{ background-color: #3a434e; color: #7d8894; }}
"""
_HOVER = {DANGER: "#e53e3e", CAUTION: "#d69e2e", CALM: "#2f9e6e", ACCENT: "#3182ce"}


def set_badge(label: QLabel, text: str, colour: str) -> None:
    """Show a text as a badge; nothing is redrawn where nothing changed."""
    if label.text() != text:
        label.setText(text)
    style = _BADGE.format(colour=colour)
    if label.styleSheet() != style:
        label.setStyleSheet(style)


def paint_button(button: QPushButton, colour: str) -> QPushButton:
    """Give a button a colour of its own: red for what destroys, amber for what holds back."""
    button.setStyleSheet(_BUTTON.format(colour=colour, hover=_HOVER.get(colour, colour)))
    return button


def signed_colour(value: float) -> str | None:
    """Red above zero, green below, none at zero."""
    if value > 0:
        return GAIN
    return LOSS if value < 0 else None


def titled(title: str, inside: QWidget) -> QWidget:
    """A widget under a title."""
    label = QLabel(title)
    label.setStyleSheet("font-weight: bold; padding: 2px;")
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    layout.addWidget(label)
    layout.addWidget(inside, 1)
    return box
