"""Sealed PDF files whose bytes were cut, moved, mixed or saved anew."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

import pikepdf
import pytest
from pyhanko.pdf_utils.crypt import StandardSecurityHandler
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec

from calib.certificates.pdf_seal import _Outside, seal_pdf
from tests.support import forge
from tests.support.refusals import need_refused, step

SEALED_AT = datetime(2026, 3, 3, 2, 15, tzinfo=UTC)


def _range(edit):
    def change(world):
        found = re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]", world.first.pdf)
        new = b"/ByteRange [" + " ".join(str(n) for n in edit(*map(int, found.groups()))).encode()
        content = world.first.pdf
        room = found.end() - found.start() + 24
        return content[: found.start()] + (new + b"]").ljust(room) + content[found.start() + room :]

    return change


def _hole(content):
    start = content.index(b"/Contents <") + 10
    return start, content.index(b">", start) + 1


def _transplanted(world):
    start, end = _hole(world.first.pdf)
    other = world.second.pdf
    first, last = _hole(other)
    return world.first.pdf[:start] + other[first:last] + world.first.pdf[end:]


def _padded(world):
    _, end = _hole(world.first.pdf)
    words = b"6576696c".rjust(40, b"0")
    return world.first.pdf[: end - 41] + words + world.first.pdf[end - 1 :]


def _tail_of_another(world):
    return world.first.pages + world.second.pdf[len(world.second.pages) :]


def _pages_of_another(world):
    return world.second.pages + world.first.pdf[len(world.first.pages) :]


def _between(world):
    first = world.first
    return first.pages + b"% between\n" + first.pdf[len(first.pages) :]


def _hybrid(world):
    place = world.first.pdf.rindex(b"/Prev ")
    return world.first.pdf[:place] + b"/XRefStm 15\n" + world.first.pdf[place:]


def _xref(world, words: bytes = b""):
    """Append a table that says an old object stands elsewhere."""
    content = world.first.pdf
    place = len(content)
    page, root, size, start = (
        int(re.findall(one, content)[-1])
        for one in (rb"/Kids\[(\d+) 0 R", rb"/Root (\d+) 0", rb"/Size (\d+)", rb"startxref\s+(\d+)")
    )
    new = b"%d 0 obj\n<</Type/Page/MediaBox[0 0 9 9]>>\nendobj\n" % page
    table = b"xref\n0 1\n0000000000 65535 f \n%d 1\n%010d 00000 n \n" % (page, place)
    trailer = b"trailer\n<</Size %d/Root %d 0 R/Prev %d%s>>\n" % (size, root, start, words)
    end = b"startxref\n%d\n%%%%EOF\n" % (place + len(new))
    return content + new + table + trailer + end


def _loop(world):
    content = world.first.pdf
    return re.sub(
        rb"/Prev \d+(?=\n>>\nstartxref\n(\d+)\n%%EOF\n\Z)",
        lambda m: b"/Prev " + m[1],
        content,
    )


def _zip(world):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.html", "<h1>genuine</h1>")
    return world.first.pdf + out.getvalue()


def _saved(**how):
    def change(world):
        with pikepdf.open(io.BytesIO(world.first.pdf)) as file:
            out = io.BytesIO()
            file.save(out, **how)
        return out.getvalue()

    return change


def _copied(change=lambda file: None):
    def copy(world):
        with pikepdf.open(io.BytesIO(world.first.pdf)) as file:
            change(file)
            out = io.BytesIO()
            file.save(out)
        return out.getvalue()

    return copy


def _unsealed(file):
    del file.Root.AcroForm, file.Root.Perms
    del file.pages[0].Annots


def _encrypted_by_another(world):
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(world.first.pdf)))
    handler = StandardSecurityHandler.build_from_pw("owner", "")
    writer.security_handler = handler
    writer._encrypt = writer.add_object(handler.as_pdf_object())
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


class _Bold(signers.PdfSigner):
    """Signs although the first seal forbids every change."""

    def _enforce_certification_constraints(self, reader):
        """Do not look."""


def _second_seal(lab):
    def change(world):
        metadata = signers.PdfSignatureMetadata(field_name="Seal2", md_algorithm="sha256")
        signer = _Outside(lab.seal.chain, lab.seal.sign)
        bold = _Bold(metadata, signer, new_field_spec=SigFieldSpec("Seal2"))
        out = bold.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(world.first.pdf)))
        return out.getvalue()

    return change


def _new_file_with_attachments(world):
    """Pages of the attacker, and every attachment of the genuine file."""
    with pikepdf.new() as file:
        file.add_blank_page()
        for name, content in {
            "certificate.json": world.first.document.canonical(), **world.first.attachments
        }.items():  # fmt: skip
            file.attachments[name] = content
        out = io.BytesIO()
        file.save(out)
    return out.getvalue()


FILES = {
    "line end behind the end": (lambda w: w.first.pdf + b"\n", "seal"),
    "comment behind the end": (lambda w: w.first.pdf + b"% x", "seal"),
    "second end": (lambda w: w.first.pdf + b"%%EOF\n", "seal"),
    "zip behind the end": (_zip, "seal"),
    "page of the web behind the end": (lambda w: w.first.pdf + b"<html>genuine</html>", "seal"),
    "second certificate behind the first": (lambda w: w.first.pdf + w.second.pdf, "seal"),
    "file twice": (lambda w: w.first.pdf * 2, "log"),
    "line end cut off": (lambda w: w.first.pdf[:-1], "seal"),
    "end cut off": (lambda w: w.first.pdf[:-7], "seal"),
    "seal cut off": (lambda w: w.first.pages, "seal"),
    "half of the file": (lambda w: w.first.pdf[: len(w.first.pdf) // 2], "file"),
    "bytes between pages and seal": (_between, "seal"),
    "other version in the head": (lambda w: w.first.pdf.replace(b"1.7", b"1.4", 1), "seal"),
    "web page before the start": (lambda w: b"<html><!--" + w.first.pdf, "file"),
    "line before the start": (lambda w: b"\n" + w.first.pdf, "file"),
    "byte order mark before the start": (lambda w: b"\xef\xbb\xbf" + w.first.pdf, "file"),
    "range begins later": (_range(lambda a, b, c, d: (a + 1, b - 1, c, d)), "seal"),
    "range ends sooner": (_range(lambda a, b, c, d: (a, b, c, d - 1)), "seal"),
    "range has a gap": (_range(lambda a, b, c, d: (a, b - 64, c, d)), "seal"),
    "range overlaps": (_range(lambda a, b, c, d: (a, b, b - 10, d)), "seal"),
    "range is longer than the file": (_range(lambda a, b, c, d: (a, b, c, d + 10**6)), "seal"),
    "range is empty": (_range(lambda a, b, c, d: (0, 0, 0, 0)), "seal"),
    "range is negative": (_range(lambda a, b, c, d: (a, b, -c, d)), "seal"),
    "range turned about": (_range(lambda a, b, c, d: (c, d, a, b)), "seal"),
    "range of three numbers": (_range(lambda a, b, c, d: (a, b, c)), "seal"),
    "range of six numbers": (_range(lambda a, b, c, d: (a, 9, 9, b, c, d)), "seal"),
    "range of one part": (_range(lambda a, b, c, d: (a, c + d)), "seal"),
    "range of huge numbers": (_range(lambda a, b, c, d: (a, b, 10**30, d)), "seal"),
    "seal of another certificate": (_transplanted, "seal"),
    "words in the place of the seal": (_padded, "seal"),
    "update of another certificate": (_tail_of_another, "seal"),
    "pages of another certificate": (_pages_of_another, "seal"),
    "hybrid table": (_hybrid, "seal"),
    "object overridden by a table": (_xref, "seal"),
    "object overridden by a table and a stream": (lambda w: _xref(w, b"/XRefStm 9"), "seal"),
    "tables in a circle": (_loop, "seal"),
    "saved again": (_saved(), "seal"),
    "linearised": (_saved(linearize=True), "seal"),
    "objects packed": (_saved(object_stream_mode=pikepdf.ObjectStreamMode.generate), "seal"),
    "unpacked": (_saved(qdf=True), "seal"),
    "encrypted without a word": (
        _saved(encryption=pikepdf.Encryption(owner="o", user="", R=6)), "file",
    ),
    "encrypted by another": (_encrypted_by_another, "file"),
    "encrypted with a word": (
        _saved(encryption=pikepdf.Encryption(owner="o", user="u", R=6)), "file",
    ),
    "seal taken out": (_copied(_unsealed), "seal"),
    "metadata taken out": (_copied(lambda f: f.Root.__delitem__("/Metadata")), "seal"),
    "second seal by another laboratory": (_second_seal(forge.SECOND), "seal"),
    "second seal by the laboratory itself": (_second_seal(forge.FIRST), "seal"),
    "sealed anew by another laboratory": (
        lambda w: seal_pdf(
            w.first.pages, forge.SECOND.seal.chain, SEALED_AT, forge.SECOND.seal.sign
        ),
        "seal",
    ),
    "sealed anew at another time": (
        lambda w: seal_pdf(
            w.first.pages, forge.FIRST.seal.chain, forge.NOW, forge.FIRST.seal.sign
        ),
        "seal",
    ),
    "attachments in a new file": (_new_file_with_attachments, "seal"),
    "nothing but a head": (lambda w: b"%PDF-1.7\n", "file"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_other_bytes_is_told(world, name):
    forge_it, where = FILES[name]
    forged = forge_it(world)
    assert forged != world.first.pdf, "the attack changed nothing"
    need_refused(forged, world.evidence(world.first), step(where))
