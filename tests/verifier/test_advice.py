"""What people are told to do next: for everything that is found, in plain words, the same twice."""

from __future__ import annotations

import pytest

from api.pages.authenticate import script_words
from calib.certificates.seal_chain import trusted
from calib.verifier.advice import NEXT_WORDS, UNTRUSTED, advice
from calib.verifier.report import VERDICT_WORDS
from instruments.errors import Refused
from tests.support.vectors import by_opening, read_vectors

VECTORS = {one.name: one for one in read_vectors()}
CASES = {
    "pass/dcc-alone": "valid",
    "pass/code": "valid",
    "fail/dcc-alone-withdrawn": "withdrawn",
    "fail/dcc-alone-superseded": "superseded",
    "fail/code-expired-yesterday": "expired",
    "fail/code-of-simulated-readings": "simulated",
    "fail/dcc-alone-with-a-digit-changed": "invalid",
    "fail/code-token-changed": "invalid",
    "fail/code-by-a-key-nobody-pinned": "stranger",
    "fail/code-by-the-log": "stranger",
    "fail/dcc-alone-without-status": "status",
    "fail/code-without-status": "status",
    "fail/dcc-alone-without-proof": "proof",
    "fail/dcc-alone-without-trust": "nothing_pinned",
    "fail/code-without-trust": "nothing_pinned",
    "fail/no-certificate-picture": "no_certificate",
    "fail/no-certificate-letter": "no_certificate",
}


@pytest.mark.parametrize("name", CASES)
def test_everybody_is_told_what_to_do_next(name):
    assert advice(by_opening(VECTORS[name])) == NEXT_WORDS[CASES[name]]


def test_no_case_and_no_verdict_is_without_a_sentence_in_both_languages():
    assert set(NEXT_WORDS) == set(CASES.values())
    assert set(VERDICT_WORDS) - {"cannot_tell"} <= set(NEXT_WORDS)
    words = script_words()
    assert set(words["next"].values()) <= set(words["sentences"])


def test_a_seal_under_no_root_is_known_by_its_words():
    with pytest.raises(Refused) as caught:
        trusted((), (), None)  # type: ignore[arg-type]
    assert caught.value.message == UNTRUSTED
