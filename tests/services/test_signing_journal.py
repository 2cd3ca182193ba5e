"""The journal of the signer: every use is a line, and a line that was changed stops everything."""

from __future__ import annotations

import base64

import pytest

from calib.adapters.signing_journal import FileJournal
from calib.services.ports import SigningRequest
from instruments.errors import Unavailable
from tests.support.keyed import lines_of, refused


def test_every_use_and_every_refusal_is_a_line_of_the_chain(keyed_files, journal):
    signer = keyed_files.signer(journal)
    signer.sign(SigningRequest(keyed_files.key("preview").id, "preview", b"a"))
    refused(
        signer,
        SigningRequest(keyed_files.key("seal").id, "xml", b"x", "x" * 22),
        "signing-not-reserved",
    )
    first, second = lines_of(journal)
    assert (first["outcome"], second["outcome"]) == ("signed", "refused")
    assert second["code"] == "signing-not-reserved"
    assert base64.b64decode(first["signature"])
    assert second["previous"] != first["previous"] == "0" * 64


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("harm", ["change", "remove", "swap", "add"])
def test_a_journal_that_was_changed_stops_the_signer(keyed_files, journal, harm, place):
    signer = keyed_files.signer(journal)
    key = keyed_files.key("preview").id
    for content in (b"a", b"b", b"c", b"d"):
        signer.sign(SigningRequest(key, "preview", content))
    lines = journal.read_bytes().splitlines(keepends=True)
    if harm == "change":
        lines[place] = lines[place].replace(b'"preview"', b'"xml"')
    elif harm == "remove":
        del lines[place]
    elif harm == "swap":
        lines[place], lines[place + 1] = lines[place + 1], lines[place]
    else:
        lines.insert(place, lines[place])
    journal.write_bytes(b"".join(lines))
    refused(keyed_files.signer(journal), SigningRequest(key, "preview", b"e"), "journal-changed")


def test_a_journal_that_became_shorter_is_noticed_by_who_saw_it(keyed_files, journal):
    signer = keyed_files.signer(journal)
    key = keyed_files.key("preview").id
    for content in (b"a", b"b"):
        signer.sign(SigningRequest(key, "preview", content))
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0])
    refused(signer, SigningRequest(key, "preview", b"c"), "journal-changed")


@pytest.mark.parametrize("part", [1, 30, 200])
def test_a_line_that_a_crash_cut_short_was_never_answered(keyed_files, journal, part):
    signer = keyed_files.signer(journal)
    key = keyed_files.key("preview").id
    answer = signer.sign(SigningRequest(key, "preview", b"a"))
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[:part])
    again = keyed_files.signer(journal)
    assert again.sign(SigningRequest(key, "preview", b"b"))
    assert again.sign(SigningRequest(key, "preview", b"a")) == answer
    assert len(lines_of(journal)) == 2


def test_a_disk_that_takes_no_line_lets_nothing_be_signed(keyed_files, tmp_path):
    (tmp_path / "folder").mkdir()
    signer = keyed_files.signer(tmp_path / "folder")
    with pytest.raises(Unavailable) as stop:
        signer.sign(SigningRequest(keyed_files.key("preview").id, "preview", b"a"))
    assert stop.value.code == "journal-unavailable"


def test_the_journal_is_open_to_nobody_else(keyed_files, journal):
    keyed_files.signer(journal).sign(SigningRequest(keyed_files.key("preview").id, "preview", b"a"))
    assert journal.stat().st_mode & 0o777 == 0o600


def test_two_signers_take_turns_at_one_journal(keyed_files, journal):
    one, other = keyed_files.signer(journal), keyed_files.signer(journal)
    key = keyed_files.key("preview").id
    for i in range(6):
        (one if i % 2 else other).sign(SigningRequest(key, "preview", bytes([i])))
    with FileJournal(journal).held() as lines:
        assert [line["place"] for line in lines] == list(range(6))
