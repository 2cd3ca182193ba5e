"""The seal of a PDF certificate: every byte, one seal, no change; verified by others as well."""

from __future__ import annotations

import io
import subprocess
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest

from calib.certificates.pdf import render
from calib.certificates.pdf_seal import TimeAuthority, seal_pdf
from calib.certificates.pdf_seal_reading import verified_pdf
from calib.certificates.reread import reread
from calib.certificates.seal_chain import fingerprint, pem_of
from calib.certificates.seal_forms import is_seal_of_pdf
from instruments.errors import DomainError, Invalid, Refused, Unavailable
from tests.support.documents import digital_certificate
from tests.support.seals import AT, a_seal, need_tool, the_seal
from tests.support.stamps import an_authority

ATTACHED = {"input.json": b"{}", "dcc.xml": b"<a/>"}


@pytest.fixture(scope="module")
def rendered() -> bytes:
    return render(digital_certificate(), ATTACHED)


@pytest.fixture(scope="module")
def sealed(rendered) -> bytes:
    seal = the_seal()
    return seal_pdf(rendered, seal.chain, AT, seal.sign)


def test_the_seal_covers_every_byte(sealed):
    found = verified_pdf(sealed, [the_seal().root])
    assert (found.signer, found.signed_at, found.stamped_at) == (the_seal().chain[0], AT, None)


def test_the_same_time_and_key_give_the_same_bytes(rendered, sealed):
    seal = the_seal()
    assert seal_pdf(rendered, seal.chain, AT, seal.sign) == sealed
    assert seal_pdf(rendered, seal.chain, AT + timedelta(seconds=1), seal.sign) != sealed


def test_the_seal_is_appended_and_ends_the_file(rendered, sealed):
    assert sealed.startswith(rendered)
    assert sealed.endswith(b"%%EOF\n")
    assert not reread(digital_certificate(), sealed, ATTACHED)


def test_the_marks_of_an_archival_accessible_file_stay(rendered, sealed):
    for content in (rendered, sealed):
        with pikepdf.open(io.BytesIO(content)) as file:
            with file.open_metadata() as told:
                assert told["pdfaid:part"] == "3"
                assert told["pdfaid:conformance"] == "A"
                assert told["pdfuaid:part"] == "1"
            assert set(file.attachments) >= set(ATTACHED)
            assert len(file.Root.OutputIntents) == 1
            assert not file.is_encrypted


def test_the_field_of_the_seal_is_invisible_and_certifies(sealed):
    with pikepdf.open(io.BytesIO(sealed)) as file:
        (field,) = file.Root.AcroForm.Fields
        assert [float(side) for side in field.Rect] == [0, 0, 0, 0]
        assert int(field.F) & 0b10 or [float(side) for side in field.Rect] == [0] * 4
        assert file.Root.Perms.DocMDP.objgen == field.V.objgen
        (reference,) = field.V.Reference
        assert (reference.TransformMethod, int(reference.TransformParams.P)) == ("/DocMDP", 1)
        assert field.V.SubFilter == "/ETSI.CAdES.detached"


def test_what_is_signed_is_known_as_the_seal_of_that_certificate(rendered):
    asked: list[bytes] = []
    seal = the_seal()

    def sign(content: bytes) -> bytes:
        asked.append(content)
        return seal.sign(content)

    seal_pdf(rendered, seal.chain, AT, sign)
    (content,) = asked
    assert is_seal_of_pdf(content, fingerprint(seal.chain[0]))
    assert not is_seal_of_pdf(content, fingerprint(seal.root))
    for other in (b"", b"\0", content + b"\0", content[:-1], b"<x/>", b"1\x00"):
        assert not is_seal_of_pdf(other, fingerprint(seal.chain[0]))


def test_pdfsig_finds_the_seal_valid_total_and_trusted(sealed, tmp_path):
    pdfsig, certutil = need_tool("pdfsig", "poppler-utils"), need_tool("certutil", "libnss3-tools")
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    (tmp_path / "root.pem").write_text(pem_of([the_seal().root]))
    known = ["-d", f"sql:{tmp_path}"]
    subprocess.run([certutil, "-N", *known, "--empty-password"], check=True, timeout=60)
    add = ["-A", *known, "-n", "root", "-t", "CT,CT,CT", "-i", str(tmp_path / "root.pem")]
    subprocess.run([certutil, *add], check=True, timeout=60)
    told = subprocess.run(
        [pdfsig, "-nssdir", f"sql:{tmp_path}", str(tmp_path / "sealed.pdf")],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert "Signature is Valid" in told
    assert "Total document signed" in told
    assert "ETSI.CAdES.detached" in told
    assert "HZ seal 1" in told


# ---------------------------------------------------------------------------------- forged files


def _resaved(content: bytes, change) -> bytes:
    with pikepdf.open(io.BytesIO(content)) as file:
        change(file)
        out = io.BytesIO()
        file.save(out)
        return out.getvalue()


def _appended(content: bytes, change) -> bytes:
    """Return the file with an incremental update, as an editor would save it."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    change(writer, generic)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _info(writer, generic):
    writer.root["/Lang"] = generic.TextStringObject("en")
    writer.update_root()


def _annotation(writer, generic):
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Annots"] = generic.ArrayObject()
    writer.update_container(page)


def _resigned(content: bytes) -> bytes:
    """Return the file sealed anew by somebody else after the seal was cut off."""
    end = content.index(b"%%EOF") + 6
    other = a_seal("HZ")
    return seal_pdf(content[:end], other.chain, AT, other.sign)


def _loud(file):
    file.docinfo["/Title"] = "forged"


def _small_letters(content: bytes) -> bytes:
    start = content.index(b"/Contents <") + 11
    end = content.index(b">", start)
    return content[:start] + content[start:end].lower() + content[end:]


ATTACKS = {
    "byte-behind-the-end": lambda f: f + b"\n",
    "comment-behind-the-end": lambda f: f + b"% x\n%%EOF\n",
    "second-end": lambda f: f + b"%%EOF\n",
    "byte-before-the-start": lambda f: b"\n" + f,
    "end-cut-off": lambda f: f[:-1],
    "last-line-cut-off": lambda f: f[: f.rindex(b"startxref")],
    "seal-cut-off": lambda f: f[: f.index(b"%%EOF") + 6],
    "byte-in-the-middle": lambda f: f[:9000] + bytes([f[9000] ^ 1]) + f[9001:],
    "byte-in-the-signature": lambda f: f.replace(b"/Contents <3", b"/Contents <2", 1),
    "signature-in-small-letters": _small_letters,
    "words-behind-the-signature": lambda f: f.replace(b"0" * 40 + b">", b"6" * 40 + b">", 1),
    "byte-range-shortened": lambda f: f.replace(b"/ByteRange [0 ", b"/ByteRange [1 ", 1),
    "time-changed": lambda f: f.replace(b"D:20260303", b"D:20260304", 1),
    "saved-again": lambda f: _resaved(f, lambda file: None),
    "title-changed": lambda f: _resaved(f, _loud),
    "page-taken-away": lambda f: _resaved(f, lambda file: file.pages.__delitem__(0)),
    "attachment-swapped": lambda f: _resaved(
        f, lambda file: file.attachments.__setitem__("input.json", b'{"x":1}')
    ),
    "update-appended": lambda f: _appended(f, _info),
    "annotation-appended": lambda f: _appended(f, _annotation),
    "sealed-by-another": _resigned,
    "empty": lambda f: b"",
    "no-pdf": lambda f: b"%PDF-1.7\n%%EOF\n",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_changed_file_is_refused(sealed, name):
    forged = ATTACKS[name](sealed)
    assert forged != sealed, "the attack changed nothing"
    with pytest.raises(DomainError):
        verified_pdf(forged, [the_seal().root])


def test_every_part_of_the_file_is_covered(sealed):
    for place in range(64, len(sealed) - 64, len(sealed) // 60):
        forged = sealed[:place] + bytes([sealed[place] ^ 4]) + sealed[place + 1 :]
        if forged[place : place + 1].isalnum() and b"\0" * 8 in sealed[place - 8 : place]:
            continue
        with pytest.raises(DomainError):
            verified_pdf(forged, [the_seal().root])


def test_a_file_without_a_seal_is_said_to_bear_none(rendered):
    with pytest.raises(Invalid, match="bears no seal"):
        verified_pdf(rendered, [the_seal().root])


def test_a_seal_that_allows_changes_is_refused(rendered, monkeypatch):
    from pyhanko.sign.fields import MDPPerm

    from calib.certificates import pdf_seal

    seal = the_seal()
    monkeypatch.setattr(pdf_seal, "MDPPerm", type("P", (), {"NO_CHANGES": MDPPerm.FILL_FORMS}))
    loose = seal_pdf(rendered, seal.chain, AT, seal.sign)
    with pytest.raises(Refused, match="allows changes"):
        verified_pdf(loose, [seal.root])


def test_a_seal_counts_at_its_own_time_unless_told_another(sealed):
    with pytest.raises(Refused) as stop:
        verified_pdf(sealed, [the_seal().root], datetime(2030, 1, 1, tzinfo=UTC))
    assert stop.value.code == "seal-certificate-out-of-date"


# ------------------------------------------------------------------------------------ time stamps


@pytest.mark.parametrize("level", ["B-T", "B-LT", "B-LTA"])
def test_a_stamped_seal_proves_its_time(rendered, level):
    seal, stamped_at = the_seal(), AT + timedelta(seconds=20)
    with an_authority(stamped_at) as (url, root):
        time = TimeAuthority(url, (root,), level)
        content = seal_pdf(rendered, seal.chain, AT, seal.sign, time)
    assert verified_pdf(content, [seal.root], time_roots=[root]).stamped_at == stamped_at
    assert verified_pdf(content, [seal.root]).stamped_at is None, "nobody vouches for the stamp"
    assert content.startswith(rendered)
    assert (b"/DSS" in content) == (level != "B-T")
    for forged in (content + b"\n", _appended(content, _info)):
        with pytest.raises(DomainError):
            verified_pdf(forged, [seal.root], time_roots=[root])


def test_an_authority_that_is_away_is_named(rendered):
    seal = the_seal()
    with an_authority(AT) as (url, _root):
        pass
    with pytest.raises(Unavailable, match="timestamp authority") as stop:
        seal_pdf(rendered, seal.chain, AT, seal.sign, TimeAuthority(url, ()))
    assert stop.value.facts["url"] == url
