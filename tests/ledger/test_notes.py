"""Signed notes: a published one, and every way in which one is not to be believed."""

import base64

import pytest

from calib.ledger.notes import (
    COSIGNATURE,
    ED25519,
    Note,
    NoteKey,
    Signature,
    cosigners,
    read_note,
    read_note_key,
    signers,
)
from instruments.errors import Invalid, Refused
from tests.ledger.keys import Key

PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)
"""The example in the documentation of Go's package golang.org/x/mod/sumdb/note."""
TEXT = "first\n\nsecond\n"
LAB = Key("log.example/one")
WITNESS = Key("witness.example/w", COSIGNATURE)


def test_the_published_note():
    known = read_note_key(PUBLISHED_KEY)
    note = read_note(PUBLISHED.encode())
    assert signers(note, [known]) == (known,)
    assert str(known) == PUBLISHED_KEY
    assert str(note) == PUBLISHED


def test_every_bit_of_the_published_note_counts():
    """Flip each bit: the note cannot be read, is not signed by the key, or is refused."""
    known = read_note_key(PUBLISHED_KEY)
    content = bytearray(PUBLISHED.encode())
    accepted = []
    for i in range(len(content)):
        for bit in range(8):
            content[i] ^= 1 << bit
            try:
                if signers(read_note(bytes(content)), [known]):
                    accepted.append((i, bit))
            except (Invalid, Refused):
                pass
            content[i] ^= 1 << bit
    assert accepted == []


def test_a_text_may_hold_empty_lines_and_several_signatures():
    note = Note(TEXT, (LAB.line(TEXT), WITNESS.line(TEXT, 42)))
    read = read_note(str(note).encode())
    assert read == note
    assert signers(read, [LAB.note_key]) == (LAB.note_key,)
    (seen,) = cosigners(read, [WITNESS.note_key])
    assert (seen.note_key, seen.seconds) == (WITNESS.note_key, 42)


def test_a_stranger_says_nothing():
    stranger = Key("log.example/one", seed="another")
    note = Note(TEXT, (stranger.line(TEXT),))
    assert signers(note, [LAB.note_key]) == ()
    assert signers(note, []) == ()


def test_a_cosignature_is_no_signature_and_the_other_way_round():
    """The same key under the other type has another number."""
    other = NoteKey(WITNESS.note_key.name, ED25519, WITNESS.note_key.public_key)
    note = Note(TEXT, (WITNESS.line(TEXT),))
    assert signers(note, [other, WITNESS.note_key]) == ()
    assert cosigners(note, [other]) == ()


@pytest.mark.parametrize("key", [LAB, WITNESS])
def test_a_known_key_that_does_not_fit_spoils_the_note(key):
    line = key.line(TEXT)
    for content in (line.content[:-1], bytes(len(line.content)), line.content + b"\0"):
        note = Note(TEXT, (Signature(line.name, line.key_id, content),))
        ask = cosigners if key is WITNESS else signers
        with pytest.raises(Refused, match="does not fit"):
            ask(note, [key.note_key])


def test_the_time_of_a_cosignature_is_signed():
    line = WITNESS.line(TEXT, 42)
    later = Signature(line.name, line.key_id, (43).to_bytes(8, "big") + line.content[8:])
    with pytest.raises(Refused):
        cosigners(Note(TEXT, (later,)), [WITNESS.note_key])
    beyond = WITNESS.line(TEXT, 1 << 63)
    with pytest.raises(Refused):
        cosigners(Note(TEXT, (beyond,)), [WITNESS.note_key])


GOOD = str(Note(TEXT, (LAB.line(TEXT),)))
SIGNATURE = GOOD.rsplit("\n\n", maxsplit=1)[-1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        TEXT.encode(),
        GOOD.removesuffix("\n").encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("— ", "- ").encode(),
        GOOD.replace("— ", "—  ").encode(),
        ("\n" + SIGNATURE).encode(),
        (TEXT + "\n" + "— name \n").encode(),
        (TEXT + "\n" + "— name AAAA\n").encode(),
        (TEXT + "\n" + "— na+me AAAAAAAA\n").encode(),
        (TEXT + "\n" + "—  AAAAAAAA\n").encode(),
        (TEXT + "\n" + "— na\u2003me AAAAAAAA\n").encode(),
        (TEXT + "\n" + "— name AAAA AAAA\n").encode(),
        (TEXT + "\n" + "— name AAAAAAA\n").encode(),
        (TEXT + "\n" + "— name AAAAAAB=\n").encode(),
        (TEXT + "\tx\n\n" + SIGNATURE).encode(),
        GOOD.encode() + b"\xff",
        (TEXT + "\n" + SIGNATURE * 65).encode(),
        (TEXT * 10_000 + "\n" + SIGNATURE).encode(),
    ],
)
def test_what_is_no_note(content):
    with pytest.raises(Invalid, match="no signed note"):
        read_note(content)


def vkey(name, body, number=None):
    return f"{name}+{number or '00000000'}+{base64.b64encode(body).decode()}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "vkey-unreadable"),
        ("name", "vkey-unreadable"),
        (PUBLISHED_KEY.replace("PeterNeumann", ""), "vkey-unreadable"),
        (PUBLISHED_KEY.replace("Neu", " "), "vkey-unreadable"),
        (PUBLISHED_KEY[:-4], "vkey-unreadable"),
        (PUBLISHED_KEY + "=", "vkey-unreadable"),
        (vkey("name", b"\2" + bytes(32)), "vkey-unreadable"),
        (vkey("name", b"\1" + bytes(31)), "vkey-unreadable"),
        (PUBLISHED_KEY.replace("c74f20a3", "c74f20a4"), "vkey-number-wrong"),
        (PUBLISHED_KEY.replace("c74f20a3", "C74F20A3"), "vkey-number-wrong"),
        (PUBLISHED_KEY.replace("Peter", "Petra"), "vkey-number-wrong"),
    ],
)
def test_what_is_no_key(text, code):
    with pytest.raises(Invalid) as stop:
        read_note_key(text)
    assert stop.value.code == code
