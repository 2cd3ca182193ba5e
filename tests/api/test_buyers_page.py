"""The page for whoever holds a certificate: its commands are run, its table is the program's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from api import bootstrap
from calib.verifier import standalone
from calib.verifier.advice import NEXT_WORDS
from calib.verifier.report import EXIT, VERDICT_WORDS
from instruments.errors import Unavailable
from tests.support import forge
from tests.support.terminal import Terminal

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "authenticate.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh\n(.+?)\n```", TEXT)


def test_the_table_says_what_the_program_says():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", TEXT, re.MULTILINE))
    told = {name: [cell.strip() for cell in row.split("|")] for name, row in rows.items()}
    assert set(told) == set(EXIT)
    for name, (code, says, next_) in told.items():
        assert (int(code), says) == (EXIT[name], VERDICT_WORDS[name])
        assert name == "cannot_tell" or next_ == NEXT_WORDS[name]


def test_there_are_three_commands():
    assert [one.split()[0] for one in COMMANDS] == ["calib", "calib", "python3"]


@pytest.mark.slow
def test_the_commands_do_what_the_page_says(calib: Terminal, tmp_path, monkeypatch):
    document = forge.a_certificate("RD2026-000123")
    made, book = forge.made(document), forge.Book()
    subject = forge.subject_of(made, forge.FIRST.code)
    proof = book.proof(book.note(subject), subject)
    for name, content in {
        "certificate.pdf": made.pdf,
        "certificate.tlog-proof": proof.text().encode(),
        "trust.json": forge.TRUST.canonical(),
        "status.txt": forge.listed(),
    }.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bootstrap, "system_clock", lambda: forge.NOW)
    monkeypatch.setattr(bootstrap, "fetch_log", lambda _host: lambda _path: forge.listed())
    online, offline, alone = (shlex.split(one) for one in COMMANDS)
    assert calib(*online[1:]) == 0, calib.err
    assert VERDICT_WORDS["valid"] in calib.out.decode()
    assert NEXT_WORDS["valid"] in calib.out.decode()
    assert calib(*offline[1:]) == 0
    at = forge.NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    said: list[str] = []
    monkeypatch.setattr(standalone, "write_line", lambda *words: said.append(" ".join(words)))
    assert standalone.main([*alone[2:], "--at", at]) == 0
    assert document.number in said[0]

    def unreachable(_path: str) -> bytes:
        raise Unavailable("log-unreachable", "Nobody answers.")

    monkeypatch.setattr(bootstrap, "fetch_log", lambda _host: unreachable)
    assert calib(*online[1:]) == 2
    assert "This says nothing against the certificate." in calib.err
    assert NEXT_WORDS["status"] in calib.out.decode()
