"""A state is a key: only its own step makes it, and no step can be left out."""

import hashlib
from dataclasses import replace

import pytest

from calib.certificates.signing import (
    UNSIGNED,
    Drafted,
    Linted,
    Rendered,
    Sealed,
    pass_lints,
    render_linted,
    seal_rendered,
)
from instruments.errors import Refused
from tests.support.documents import forehead_certificate


@pytest.fixture(scope="module")
def rendered():
    return render_linted(pass_lints(Drafted(forehead_certificate("en"))), {"input.json": b"{}"})


def test_no_state_is_made_by_hand(rendered):
    with pytest.raises(TypeError, match="pass_lints"):
        Linted(forehead_certificate(), "0" * 64, ())
    with pytest.raises(TypeError, match="render_linted"):
        Rendered(rendered.linted, b"%PDF", "0" * 64)
    with pytest.raises(TypeError, match="seal_rendered"):
        Sealed(rendered, rendered.content, rendered.digest, UNSIGNED)


def test_a_document_that_breaks_a_lint_goes_no_further_and_all_findings_travel():
    broken = replace(forehead_certificate(), persons=(), issued_on="2020-01-01")
    with pytest.raises(Refused) as stop:
        pass_lints(Drafted(broken))
    codes = {finding.code for finding in stop.value.findings}
    assert {"persons-incomplete", "dates-out-of-order"} <= codes


def test_warnings_travel_with_the_linted_document():
    document = forehead_certificate()
    document = replace(document, item=replace(document.item, condition=""))
    assert "condition-missing" in {w.code for w in pass_lints(Drafted(document)).warnings}


def test_the_digests_are_of_what_they_name(rendered):
    assert rendered.linted.digest == forehead_certificate("en").digest()
    assert rendered.digest == hashlib.sha256(rendered.content).hexdigest()
    sealed = seal_rendered(rendered, rendered.content, UNSIGNED)
    assert (sealed.digest, sealed.seal) == (rendered.digest, UNSIGNED)


@pytest.mark.parametrize("change", [b"", b"%PDF-1.7 other"])
def test_other_bytes_than_the_rendered_are_not_sealed(rendered, change):
    with pytest.raises(Refused, match="other bytes"):
        seal_rendered(rendered, change, UNSIGNED)


def test_an_unsigned_file_may_not_grow(rendered):
    with pytest.raises(Refused, match="other bytes"):
        seal_rendered(rendered, rendered.content + b"x", UNSIGNED)


def test_a_seal_must_be_the_one_the_page_speaks_of(rendered):
    with pytest.raises(Refused, match="The page says unsigned"):
        seal_rendered(rendered, rendered.content + b"seal", "key 1")
