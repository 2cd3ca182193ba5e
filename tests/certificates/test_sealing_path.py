"""No way leads to a sealed certificate that does not pass the lints."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from calib.certificates import signing
from calib.certificates.signing import Drafted, Linted, Rendered, Sealed, pass_lints
from instruments.errors import Refused
from tests.house.source import sources
from tests.support.documents import forehead_certificate

STATES = (Linted, Rendered, Sealed)


@pytest.fixture
def linted():
    return pass_lints(Drafted(forehead_certificate()))


def test_a_document_that_breaks_a_lint_becomes_no_linted_one():
    sound = forehead_certificate()
    broken = dataclasses.replace(sound, persons=sound.persons[:2])
    with pytest.raises(Refused) as caught:
        pass_lints(Drafted(broken))
    assert caught.value.code == "certificate-refused"
    assert [f.code for f in caught.value.findings if f.severity == "error"] == [
        "persons-incomplete"
    ]


def test_no_state_is_made_by_hand(linted):
    content, digest = b"%PDF-", hashlib.sha256(b"%PDF-").hexdigest()
    for make in (
        lambda: Linted(linted.document, linted.digest, ()),
        lambda: Rendered(linted, content, digest),
        lambda: Sealed(linted, content, digest, "unsigned"),  # type: ignore[arg-type]
        lambda: Linted(linted.document, linted.digest, (), object()),
        lambda: dataclasses.replace(linted, document=linted.document, made_by=None),
    ):
        with pytest.raises(TypeError, match="not by hand"):
            make()


def test_what_was_linted_is_not_exchanged_for_another(linted):
    other = dataclasses.replace(linted.document, remarks=("another",))
    with pytest.raises(TypeError, match="not by hand"):
        dataclasses.replace(linted, document=other)


def test_no_subclass_and_no_change_in_place(linted):
    for state in STATES:
        assert getattr(state, "__final__", False)
        assert dataclasses.fields(state)[-1].name == "made_by"
    with pytest.raises(dataclasses.FrozenInstanceError):
        linted.document = forehead_certificate("en")


def test_only_their_own_module_makes_the_states():
    """The mark of the maker is named nowhere else, and no other module builds a state."""
    names = [state.__name__ for state in STATES]
    others = [s for s in sources("calib", "api") if s.path != "calib/certificates/signing.py"]
    assert len(others) > 100
    for source in others:
        assert "_MADE_HERE" not in source.text, source.path
        built = [n for n in names if f" {n}(" in source.text or f"signing.{n}(" in source.text]
        assert not built, (source.path, built)


def test_what_seals_takes_what_was_linted():
    """The types of the doors say it: whoever calls them holds a linted or rendered state."""
    for door, wanted in (
        (signing.write_data, "Linted"),
        (signing.render_linted, "Linted"),
        (signing.seal_rendered, "Rendered"),
    ):
        assert next(iter(door.__annotations__.values())) == wanted
