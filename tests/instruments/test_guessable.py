"""Passwords that are tried first are refused; four words and what a manager makes are not."""

from __future__ import annotations

import hashlib
import secrets as chance

import pytest

from instruments.errors import Invalid
from instruments.services import secrets
from instruments.services.guessable import COMMON, OF_THIS_PLACE, is_guessable, is_leaked

DRESSES = ("{}1", "{}123", "{}12345", "{}2026", "{}2026!", "123{}", "{0}{0}", "{}!", "{}@2024")
FIRST = [
    "password",
    "password1",
    "Password1",
    "P@ssw0rd",
    "passw0rd",
    "password123",
    "Password123!",
    "qwerty123",
    "qwertyuiop",
    "1qaz2wsx",
    "1q2w3e4r5t",
    "zaq12wsx",
    "asdfghjkl",
    "123456789",
    "1234567890",
    "12345678",
    "87654321",
    "11111111",
    "00000000",
    "20200131",
    "31012020",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "welcome1",
    "letmein1",
    "michael1",
    "jennifer",
    "charlie1",
    "dragon123",
    "monkey123",
    "master123",
    "shadow123",
    "computer",
    "internet",
    "starwars",
    "whatever",
    "samantha",
    "michelle",
    "jonathan",
    "butterfly",
    "chocolate",
    "liverpool",
    "barcelona",
    "woaini1314",
    "woaini520",
    "abcdefgh",
    "abcd1234",
    "abc12345",
    "aaaaaaaa",
    "abcabcabc",
    "q1w2e3r4",
    "qazwsxedc",
    "iloveyou1",
    "admin123",
    "adminadmin",
    "calib2026",
    "Calibration1",
    "Laboratory!",
    "metrology2025",
    "thermometer",
    "technician1",
    "manager123",
    "Summer2026!",
]


def line_of(password):
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.mark.parametrize("password", FIRST)
def test_what_is_tried_first_is_refused(password):
    assert is_guessable(password)
    with pytest.raises(Invalid):
        secrets.hash_password(password)


def test_more_than_three_thousand_are_known():
    words = [word for word in COMMON | OF_THIS_PLACE if len(word) >= 4]
    forms = {dress.format(word) for word in words for dress in DRESSES}
    forms |= {form.title() for form in forms}
    long = [form for form in forms if len(form) >= secrets.MIN_PASSWORD]
    assert len(long) > 3000
    let_by = [form for form in long if not is_guessable(form)]
    assert not let_by, let_by[:20]


@pytest.mark.parametrize(
    "password",
    ["warm bath of water", "correct horse battery staple", "Tr4ls-vom!kep", "温水浴里的四个词",
     "xK9#mQ2$vL", "a new long password", "four words of bath", "x" * 3 + "vj29 mmq ee" + "y" * 60],
)  # fmt: skip
def test_what_nobody_tries_first_is_taken(password):
    assert not is_guessable(password)


def test_a_password_is_taken_as_it_is():
    long = "Öl und " + "Wasser mischen sich nicht " * 6 + "!"
    assert 64 < len(long) <= secrets.MAX_PASSWORD
    kept = secrets.hash_password(long)
    assert secrets.is_password(long, kept)
    for other in (long[:-1], long.lower(), long.strip() + " ", long.replace("Ö", "O")):
        assert not secrets.is_password(other, kept)


def test_passwords_of_a_manager_are_taken():
    assert not any(is_guessable(chance.token_urlsafe(12)) for _ in range(1000))


def test_a_file_of_leaked_passwords_is_searched(tmp_path):
    known = [f"leaked pass phrase {n}" for n in range(500)]
    lines = sorted(line_of(one) for one in known)
    file = tmp_path / "leaked.txt"
    file.write_text("".join(f"{line}:{n}\n" for n, line in enumerate(lines)), "ascii")
    assert all(is_leaked(one, file) for one in known)
    assert not any(is_leaked(f"other phrase {n}", file) for n in range(500))
    file.write_bytes(b"")
    assert not is_leaked(known[0], file)


def test_a_leaked_password_is_not_chosen(tmp_path):
    password = "a phrase of four words"
    file = tmp_path / "leaked.txt"
    file.write_text(line_of(password) + ":9\n", "ascii")
    secrets.refuse_leaked(file)
    try:
        with pytest.raises(Invalid, match="stolen"):
            secrets.hash_password(password)
    finally:
        secrets.refuse_leaked(None)
    assert secrets.hash_password(password)
