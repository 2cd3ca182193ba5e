"""A DCC file becomes the certificate of a standard, and the file is kept."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from sqlalchemy import select

from calib.records.work import StoredFile
from calib.services.standard_import import import_standard_certificate
from instruments.errors import Conflict, Invalid, NotAllowed
from instruments.services import standards
from tests.support.builders import a_standard, an_installation, context_for
from tests.support.dcc_files import TABLE, document


class Shelf:
    """A file store in memory."""

    def __init__(self):
        self.files = {}

    def put(self, content):
        name = hashlib.sha256(content).hexdigest()
        self.files[name] = content
        return name

    def get(self, sha256):
        return self.files[sha256]

    def has(self, sha256):
        return sha256 in self.files


@pytest.fixture
def place(database_url):
    """Return a new installation."""
    installation = an_installation(database_url)
    yield installation
    installation.engine.dispose()


def test_file_is_kept_and_its_table_entered(place):
    shelf = Shelf()
    with context_for(place) as ctx:
        standard = a_standard(ctx)
        done = import_standard_certificate(
            ctx, standard.id, document(), "n1.xml", shelf, valid_until=date(2026, 8, 31)
        )
        assert shelf.get(done.file_sha256) == document()
        stored = ctx.session.scalars(select(StoredFile)).one()
        assert (stored.sha256, stored.name, stored.size) == (
            done.file_sha256,
            "n1.xml",
            len(document()),
        )
        in_force = standards.in_force(ctx, [standard.id], ctx.today)[standard.id]
        assert in_force.id == done.certificate_id
        assert (in_force.origin, in_force.file_sha256) == ("dcc", done.file_sha256)
        assert [(v.indication, v.reference, v.U) for v in in_force.values] == [
            ("10.1", "10.00", "0.05"),
            ("20.2", "20.00", "0.06"),
        ]
        assert "dcc-of-another-item" in {f.code for f in done.findings}
        assert "dcc-unsigned" in {f.code for f in done.findings}


def test_same_file_twice_is_a_conflict_and_a_correction_names_the_old(place):
    shelf = Shelf()
    with context_for(place) as ctx:
        standard = a_standard(ctx)
        first = import_standard_certificate(ctx, standard.id, document(), "n1.xml", shelf)
        with pytest.raises(Conflict):
            import_standard_certificate(ctx, standard.id, document(), "n1.xml", shelf)
        import_standard_certificate(
            ctx,
            standard.id,
            document(TABLE.replace("0.05 0.06", "0.07")),
            "n1b.xml",
            shelf,
            replaces_id=first.certificate_id,
            reason="the institute corrected U",
        )
        certificates = standards.get_standard(ctx, standard.id).certificates
        assert {c.edition for c in certificates if c.origin == "dcc"} == {1, 2}


def test_certificate_without_uncertainty_is_not_entered(place):
    with context_for(place) as ctx:
        standard = a_standard(ctx)
        body = TABLE.replace("0.05 0.06", "0 0")
        with pytest.raises(Invalid) as caught:
            import_standard_certificate(ctx, standard.id, document(body), "n.xml", Shelf())
        assert caught.value.code in {"certificate-without-uncertainty", "dcc-error-contradicts"}


def test_who_may_import(place):
    with context_for(place) as ctx:
        standard = a_standard(ctx)
    with context_for(place, "reviewer") as ctx, pytest.raises(NotAllowed):
        import_standard_certificate(ctx, standard.id, document(), "n.xml", Shelf())
