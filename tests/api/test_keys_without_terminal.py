"""Keys where nobody can type a passphrase: said how else it is given."""

from __future__ import annotations

import io

import typer

from tests.support.terminal import Terminal


class Typed(io.StringIO):
    """Standard input of a terminal."""

    def isatty(self) -> bool:
        """Answer that somebody sits there."""
        return True


def nobody(*_words: object, **_given: object) -> str:
    """Ask for a passphrase as it is asked where nothing can be read."""
    raise typer.Abort


def test_without_a_terminal_it_is_said_how_the_passphrase_is_given(calib: Terminal, monkeypatch):
    monkeypatch.setattr(typer, "prompt", nobody)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert calib("signer") == 2
    for words in ("this is no terminal", "CALIB_PASSPHRASE_FILE", "calib-passphrase"):
        assert words in calib.err
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert calib("signer") == 2
    assert "此处不是终端" in calib.err


def test_whoever_stops_at_the_prompt_is_told_nothing_of_that(calib: Terminal, monkeypatch):
    monkeypatch.setattr(typer, "prompt", nobody)
    monkeypatch.setattr("sys.stdin", Typed(""))
    assert calib("signer") != 0
    assert "no terminal" not in calib.err
