"""How a command that runs until Ctrl+C ends."""

import signal

import pytest

from vnpy_aiagent.cli.common import ended_by_signals, wait_for_end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_interrupt_the_close(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    closed = False
    with ended_by_signals() as stop:
        signal.raise_signal(number)
        wait_for_end(0, stop)
        signal.raise_signal(number)
        signal.raise_signal(signal.SIGINT)
        closed = True
    assert closed
    assert signal.getsignal(number) is before
    assert capsys.readouterr().err == "stopping\n"


def test_some_seconds_end_without_a_signal(capsys: pytest.CaptureFixture[str]) -> None:
    with ended_by_signals() as stop:
        wait_for_end(0.01, stop)
        assert not stop.is_set()
    assert capsys.readouterr().err == ""
