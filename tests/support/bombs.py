"""Files that are made to cost memory and time, or to be stumbled over; and what they cost."""

from __future__ import annotations

import base64
import io
import json
import os
import resource
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from calib.verifier.evidence import Evidence
from calib.verifier.examine import examine
from tests.support.forge import NOW, TRUST

MEGA = 2**20
Objects = Mapping[int, bytes]


def pdf(objects: Objects, root: int = 1, extra: bytes = b"") -> bytes:
    """Return a PDF file of these objects with a true table."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    places = {}
    for number, body in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (max(objects) + 1))
    for number in range(1, max(objects) + 1):
        used = (
            b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
        )
        out.write(used)
    out.write(b"trailer\n<</Size %d/Root %d 0 R%b>>\n" % (max(objects) + 1, root, extra))
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def stream(content: bytes, words: bytes = b"") -> bytes:
    """Return a stream object."""
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (words, len(content), content)


PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]%b>>"
CATALOGUE = b"<</Type/Catalog/Pages 2 0 R%b>>"
ONE_PAGE = {2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>"}


def zeros(size: int, times: int = 1) -> bytes:
    """Return so many zeros, packed once or more often."""
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(MEGA)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(MEGA)) + packer.flush(zlib.Z_FULL_FLUSH)
    content = head + block * (size // MEGA - 1)  # without its end, which nobody waits for
    for _ in range(times - 1):
        content = zlib.compress(content, 9)
    return content


def attached(content: bytes, words: bytes, name: bytes = b"certificate.json") -> bytes:
    """Return a file of one page with an attachment."""
    names = b"/Names<</EmbeddedFiles<</Names[(%b)4 0 R]>>>>" % name
    return pdf({
        1: CATALOGUE % names, **ONE_PAGE, 3: PAGE % b"",
        4: b"<</Type/Filespec/F(%b)/UF(%b)/EF<</F 5 0 R/UF 5 0 R>>>>" % (name, name),
        5: stream(content, b"/Type/EmbeddedFile" + words),
    })  # fmt: skip


def drawn(content: bytes, words: bytes = b"") -> bytes:
    """Return a file of one page with this drawn on it."""
    return pdf(
        {1: CATALOGUE % b"", **ONE_PAGE, 3: PAGE % b"/Contents 4 0 R", 4: stream(content, words)}
    )


def packed_table(size: int) -> bytes:
    """Return a file whose table of objects is a stream of zeros."""
    head = b"%PDF-1.7\n"
    words = b"/Type/XRef/W[1 4 2]/Size 9/Root 1 0 R/Filter/FlateDecode"
    body = b"9 0 obj\n" + stream(zeros(size), words) + b"\nendobj\n"
    return head + body + b"startxref\n%d\n%%%%EOF\n" % len(head)


def packed_objects(size: int) -> bytes:
    """Return a file with a stream of objects that unpacks to zeros."""
    words = b"/Type/ObjStm/N 100000/First 10/Filter/FlateDecode"
    return pdf({1: CATALOGUE % b"", **ONE_PAGE, 3: PAGE % b"", 4: stream(zeros(size), words)})


FLATE = b"/Filter/FlateDecode"
BOMBS: dict[str, Callable[[], bytes]] = {
    "pages without end": lambda: pdf(
        {1: CATALOGUE % b"", 2: b"<</Type/Pages/Kids[3 0 R]/Count 2147483647>>", 3: PAGE % b""}
    ),
    "pages by the hundred thousand": lambda: pdf(
        {1: CATALOGUE % b"", 2: b"<</Type/Pages/Kids[%b]/Count 100000>>" % (b"3 0 R " * 100_000),
         3: PAGE % b""}
    ),
    "pages that hold themselves": lambda: pdf(
        {1: CATALOGUE % b"", 2: b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000>>"}
    ),
    "pages in pages": lambda: pdf(
        {1: CATALOGUE % b"",
         **{n: b"<</Type/Pages/Kids[%d 0 R %d 0 R]/Count 9>>" % (n + 1, n + 1)
            for n in range(2, 60)},
         60: PAGE % b""}
    ),
    "lists in lists": lambda: pdf(
        {1: CATALOGUE % (b"/X" + b"[" * 200_000 + b"]" * 200_000), **ONE_PAGE, 3: PAGE % b""}
    ),
    "annotations": lambda: pdf(
        {1: CATALOGUE % b"", **ONE_PAGE, 3: PAGE % (b"/Annots[%b]" % (b"4 0 R " * 100_000)),
         4: b"<</Type/Annot/Subtype/Square/Rect[0 0 9 9]>>"}
    ),
    "fields": lambda: pdf(
        {1: CATALOGUE % (b"/AcroForm<</Fields[%b]>>" % (b"4 0 R " * 100_000)), **ONE_PAGE,
         3: PAGE % b"", 4: b"<</FT/Sig/T(x)/V 5 0 R>>", 5: b"<</Type/Sig/ByteRange[0 1 2 3]>>"}
    ),
    "fields that hold themselves": lambda: pdf(
        {1: CATALOGUE % b"/AcroForm<</Fields[4 0 R]>>", **ONE_PAGE, 3: PAGE % b"",
         4: b"<</T(x)/Kids[4 0 R 4 0 R]>>"}
    ),
    "names that hold themselves": lambda: pdf(
        {1: CATALOGUE % b"/Names<</EmbeddedFiles 4 0 R>>", **ONE_PAGE, 3: PAGE % b"",
         4: b"<</Kids[4 0 R 4 0 R]>>"}
    ),
    "attachments by the ten thousand": lambda: pdf(
        {1: CATALOGUE % (b"/Names<</EmbeddedFiles<</Names[%b]>>>>" % b"".join(
            b"(%05d)4 0 R " % n for n in range(20_000))), **ONE_PAGE, 3: PAGE % b"",
         4: b"<</Type/Filespec/F(a)/EF<</F 5 0 R>>>>", 5: stream(bytes(10**6))}
    ),
    "attachment that unpacks": lambda: attached(zeros(2048 * MEGA), FLATE),
    "attachment that unpacks twice": lambda: attached(
        zeros(2048 * MEGA, 2), b"/Filter[/FlateDecode/FlateDecode]"
    ),
    "attachment that unpacks, by another name": lambda: attached(
        zeros(1024 * MEGA), b"/Filter/Fl#61teDecode"
    ),
    "attachment that unpacks, shortly named": lambda: attached(zeros(1024 * MEGA), b"/Filter/Fl"),
    "attachment of runs": lambda: attached(b"\x81\0" * (8 * MEGA), b"/Filter/RunLengthDecode"),
    "attachment of zeros": lambda: attached(bytes(40 * MEGA), b""),
    "drawing that unpacks": lambda: drawn(zeros(2048 * MEGA), FLATE),
    "drawing of many letters": lambda: drawn(
        zlib.compress(b"BT /F 1 Tf " + b"(aaaaaaaaaa) Tj " * 60_000 + b"ET"), FLATE
    ),
    "table that unpacks": lambda: packed_table(1024 * MEGA),
    "objects that unpack": lambda: packed_objects(1024 * MEGA),
    "tables in a circle": lambda: pdf({1: b"<<>>"}, extra=b"/Prev 9").replace(
        b"/Prev 9", b"/Prev 27"
    ),
    "text of fifty million": lambda: b"%PDF-1.7\n" + b"1 0 obj\n" * (6 * MEGA),
    "zeros": lambda: b"%PDF-1.7\n" + bytes(49 * MEGA),
    "zeros beyond every size": lambda: bytes(100 * MEGA),
    "ends": lambda: b"%PDF-1.7\n" + b"startxref\n9\n%%EOF\n" * MEGA,
    "XML of empty elements": lambda: b"<a>" + b"<a/>" * (5 * MEGA) + b"</a>",
    "XML in XML": lambda: b"<a>" * (3 * MEGA),
    "XML of attributes": lambda: (
        b"<a " + b" ".join(b'a%d=""' % n for n in range(300_000)) + b"/>"
    ),
    "XML of namespaces": lambda: (
        b"<a " + b" ".join(b'xmlns:a%d="u:%d"' % (n, n) for n in range(100_000)) + b"/>"
    ),
    "XML of one text": lambda: b"<a>" + b"x" * (24 * MEGA) + b"</a>",
    "XML of comments": lambda: b"<a>" + b"<!---->" * (3 * MEGA) + b"</a>",
    "XML of ids": lambda: b"<a>" + b"".join(b'<b Id="i%d"/>' % n for n in range(900_000)) + b"</a>",
    "XML of entities": lambda: (
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY a%d "%b">' % (n, b"&a;" * 50) for n in range(9))
        + b"]><a>&a8;</a>"
    ),
    "code of fifty million": lambda: b"https://x/c/a#" + b"A" * (49 * MEGA),
    "code of lines": lambda: base64.urlsafe_b64encode(b"\n" * (20 * MEGA)) + b".AAAA",
}  # fmt: skip


def main(folder: str) -> None:
    """Examine every bomb of a folder; say what each cost, as JSON."""
    found = {}
    examine(b"%PDF-1.7\n", Evidence(NOW, TRUST))
    for path in sorted(Path(folder).iterdir()):
        content = path.read_bytes()
        with Path("/proc/self/clear_refs").open("w") as peak:
            peak.write("5")  # forget the highest use of memory so far
        began = time.process_time()
        report = examine(content, Evidence(NOW, TRUST))
        spent = time.process_time() - began
        words = Path("/proc/self/status").read_text(encoding="utf-8")
        peak_kB = int(words.partition("VmHWM:")[2].split()[0])
        found[path.name] = {
            "verdict": report.verdict,
            "failed": [one.id for one in report.steps if one.state == "contradicted"],
            "seconds": spent,
            "megabytes": peak_kB / 1024,
        }
        sys.stderr.write(f"{path.name} {found[path.name]}\n")
        del content
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30,) * 2)
    os.nice(1)
    main(sys.argv[1])
