"""A hundred previews by every way there is: none passes for a certificate."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2
import pytest

from calib.certificates.dcc_writing import write_dcc
from calib.certificates.pdf import render
from calib.certificates.pdf_seal import seal_pdf
from calib.certificates.pdf_seal_reading import verified_pdf
from calib.certificates.seal_chain import read_chain
from calib.certificates.xml_seal import seal_xml, verified
from calib.services import key_views, ledger, public
from calib.services.ports import SigningRequest
from calib.services.preview import preview_document
from instruments.errors import DomainError, Refused
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.builders import NOW
from tests.support.keyed import HOUSE

EACH = 20


@pytest.fixture
def documents(keyed_files):
    """Return previews of a record at every station, each said a little differently."""
    bench, found = keyed_files.bench, []
    id_ = issuing.submitted(bench)
    for station in ("submitted", "authorised"):
        if station == "authorised":
            issuing.approve(bench, id_)
        with bench.as_(bench.technician, read_only=True) as ctx:
            document = preview_document(ctx, id_, public_base=issuing.BASE)
        found += [replace(document, remarks=(f"{station} {i}",)) for i in range(EACH // 2)]
    return found


@pytest.fixture
def roots(keyed_files):
    with installation_session(keyed_files.bench.engine, read_only=True) as session:
        bundle = key_views.trust_bundle(session, host=HOUSE.host, origin=HOUSE.origin, now=NOW)
    return [one for pem in bundle.roots for one in read_chain(pem)]


def _asking(keyed, signer, purpose, form):
    key = keyed.key(purpose)
    return key.certificates(), lambda content: signer.sign(SigningRequest(key.id, form, content))


def test_no_preview_passes_for_a_certificate(keyed_files, documents, roots, tmp_path):
    signer = keyed_files.signer(tmp_path / "journal")
    before = _head(keyed_files)
    chain, sign = _asking(keyed_files, signer, "preview", "preview")
    tried = 0
    for document in documents:
        assert (document.seal, document.seal_key, document.token) == ("unsigned", None, "")
        plain = render(document, {}, preview=True)
        _need_watermarks(plain)
        xml = write_dcc(document)
        for file in (plain, seal_pdf(plain, chain, NOW, sign)):
            with pytest.raises(DomainError):
                verified_pdf(file, roots, NOW)
        for file in (xml, seal_xml(xml, chain, NOW, sign)):
            with pytest.raises(DomainError):
                verified(file, roots, NOW)
        _need_refusal(keyed_files, signer, plain, xml)
        tried += 5
    assert tried == 100
    assert _head(keyed_files) == before, "a preview left a line in the ledger"


def test_the_code_of_a_preview_opens_nothing(keyed_files, documents):
    with installation_session(keyed_files.bench.engine, read_only=True) as session:
        for document in documents:
            assert public.public_certificate(session, document.token, NOW) is None
            assert public.file_digest(session, document.number) == ""


def _need_watermarks(content: bytes) -> None:
    with pypdfium2.PdfDocument(content) as file:
        assert len(file) > 0
        for page in file:
            assert "PREVIEW" in page.get_textpage().get_text_range()


def _need_refusal(keyed, signer, plain: bytes, xml: bytes) -> None:
    """Ask for the seal of a certificate on the preview: the rule says no."""
    chain, sign = _asking(keyed, signer, "seal", "pdf")
    with pytest.raises(Refused):
        seal_pdf(plain, chain, NOW, sign)
    chain, sign = _asking(keyed, signer, "seal", "xml")
    with pytest.raises(Refused):
        seal_xml(xml, chain, NOW, sign)


def _head(keyed):
    with installation_session(keyed.bench.engine, read_only=True) as session:
        return ledger.head(session)
