"""Spreadsheets that are bombs, slips or lies: refused soon, in little memory, beside the server."""

from __future__ import annotations

import io
import os
import resource
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import xlsxwriter

from instruments.errors import DomainError
from instruments.services import tables, workbook
from instruments.services.tables import read_table

MEGA = 2**20
SECONDS, MEGABYTES = 2.0, 200
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    "{}</sheetData></worksheet>"
)
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/'
    '2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/'
    '2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/worksheets/sheet1.xml": SHEET.format(""),
}


def packed(extra=(), **changed):
    """Return a workbook of the least parts, some changed, some added."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in {**PARTS, **changed}.items():
            book.writestr(name, content)
        for name, content in extra:
            book.writestr(name, content)
    return out.getvalue()


def sheet(content):
    return packed(**{"xl/worksheets/sheet1.xml": content})


def lying(content):
    """Return an archive whose directory says that its parts are small."""
    at = 0
    told = bytearray(content)
    while (at := told.find(b"PK\x01\x02", at)) >= 0:
        told[at + 24 : at + 28] = struct.pack("<I", 100)
        at += 4
    at = 0
    while (at := told.find(b"PK\x03\x04", at)) >= 0:
        told[at + 22 : at + 26] = struct.pack("<I", 100)
        at += 4
    return bytes(told)


def link(name, to):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for part, content in PARTS.items():
            if part != name:
                book.writestr(part, content)
        book.writestr(entry, to)
    return out.getvalue()


def many(count):
    """Return an archive of so many entries, its directory written by hand: quick to make."""
    head = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    one = (
        struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
        )
        + b"a"
    )
    directory = one * count
    most = min(count, 65535)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, most, most, len(directory), len(head), 0)
    if count <= 65535:
        return head + directory + end
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count,
                       len(directory), len(head))  # fmt: skip
    where = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(head) + len(directory), 1)
    return head + directory + wide + where + end


def overlapping():
    """Return an archive whose entries all stand on the same packed bytes."""
    body = zlib.compress(bytes(64 * MEGA), 9)[2:-4]
    head = struct.pack(
        "<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(body), 64 * MEGA, 1, 0
    )
    one = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, 0, len(body),
                      64 * MEGA, 1, 0, 0, 0, 0, 0, 0) + b"a"  # fmt: skip
    directory = one * 500
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 500, 500, len(directory),
                      len(head) + 1 + len(body), 0)  # fmt: skip
    return head + b"a" + body + directory + end


def nested():
    inner = packed(extra=[("zeros", bytes(30 * MEGA))])
    for _ in range(4):
        inner = packed(extra=[("inner.xlsx", inner)])
    return inner


def rows(count, cell="<c><v>1</v></c>"):
    return SHEET.format(f"<row>{cell}</row>" * count)


def beside_chance(megabytes, **parts):
    """Return a workbook whose whole unfolds into little more than it holds: one part is a bomb."""
    return packed(extra=[("x", np.random.default_rng(6).bytes(megabytes * MEGA))], **parts)


def wide_book():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write(0, 0, "serial")
        page.write(1_048_575, 16_383, "end")
    return out.getvalue()


BOMBS = {
    "zeros of half a gigabyte": lambda: sheet(bytes(512 * MEGA)),
    "zeros below the limit of unfolding": lambda: packed(extra=[("x", bytes(300 * MEGA))]),
    "a directory that says less": lambda: lying(sheet(bytes(300 * MEGA))),
    "rows without end, said to be few": lambda: lying(sheet(rows(3_000_000))),
    "rows by the million": lambda: sheet(rows(2_000_000)),
    "cells by the million in a row": lambda: sheet(
        SHEET.format("<row>" + "<c/>" * 4_000_000 + "</row>")
    ),
    "a cell at the end of the world": wide_book,
    "entries by the million": lambda: many(1_000_000),
    "as many entries as a file may hold": lambda: many(380_000),
    "ten thousand entries": lambda: many(10_000),
    "one entry too many": lambda: many(1001),
    "entries on the same bytes": overlapping,
    "archives in archives": nested,
    "strings by the million": lambda: packed(
        **{"xl/sharedStrings.xml": "<sst>" + "<si><t>a</t></si>" * 2_000_000 + "</sst>"}
    ),
    "a string of a hundred megabytes": lambda: packed(
        **{"xl/sharedStrings.xml": "<sst><si><t>" + "a" * (100 * MEGA) + "</t></si></sst>"}
    ),
    "rows beside chance, so that little seems to unfold": lambda: beside_chance(
        2, **{"xl/worksheets/sheet1.xml": rows(3_000_000)}
    ),
    "as many rows beside as much chance as a file may hold": lambda: beside_chance(
        10, **{"xl/worksheets/sheet1.xml": rows(9_000_000)}
    ),
    "cells beside chance": lambda: beside_chance(
        2, **{"xl/worksheets/sheet1.xml": SHEET.format("<row>" + "<c/>" * 4_000_000 + "</row>")}
    ),
    "strings beside chance": lambda: beside_chance(
        2, **{"xl/sharedStrings.xml": "<sst>" + "<si><t>a</t></si>" * 4_000_000 + "</sst>"}
    ),
    "a string beside chance": lambda: beside_chance(
        2, **{"xl/sharedStrings.xml": "<sst><si><t>" + "a" * (90 * MEGA) + "</t></si></sst>"}
    ),
    "elements in elements": lambda: sheet(SHEET.format("<a>" * 1_000_000)),
    "an attribute of fifty megabytes": lambda: sheet(
        SHEET.format('<row r="' + "9" * (50 * MEGA) + '"/>')
    ),
    "entities in entities": lambda: sheet(
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY a{n} "{"&a;" * 50}">' for n in range(9))
        + "]>"
        + SHEET.format("<row><c><v>&a8;</v></c></row>")
    ),
    "a file of this machine as entity": lambda: sheet(
        '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        + SHEET.format('<row><c t="str"><v>&a;</v></c></row>')
    ),
    "slip by dots": lambda: packed(extra=[("../../../../tmp/slipped", "x")]),
    "slip by root": lambda: packed(extra=[("/tmp/slipped", "x")]),
    "slip by backslash": lambda: packed(extra=[("..\\..\\tmp\\slipped", "x")]),
    "slip by drive": lambda: packed(extra=[("C:\\slipped", "x")]),
    "a name of sixty thousand letters": lambda: packed(extra=[("a" * 60_000, "x")]),
    "a link to a file of this machine": lambda: link("xl/worksheets/sheet1.xml", "/etc/passwd"),
    "a link to the folder above": lambda: link("xl/workbook.xml", "../../.."),
    "half an archive": lambda: packed()[: len(packed()) // 2],
    "an archive of nothing": lambda: b"PK\x05\x06" + bytes(18),
    "a head and no archive": lambda: b"PK\x03\x04" + bytes(MEGA),
    "another archive within the head": lambda: b"PK\x03\x04" + packed(),
    "a method nobody knows": lambda: packed().replace(b"\x08\x00", b"\x63\x00"),
    "a workbook without a sheet": lambda: packed(**{"xl/workbook.xml": "<workbook/>"}),
    "a sheet that is no XML": lambda: sheet(b"\xff\xfe\x00"),
    "twenty megabytes of chance": lambda: b"PK\x03\x04" + os.urandom(19 * MEGA),
}  # fmt: skip


def used(who):
    found = resource.getrusage(who)
    return found.ru_utime + found.ru_stime


def test_there_are_thirty_and_more():
    assert len(BOMBS) >= 30


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_it_is_refused_soon_in_little_memory_and_the_server_lives(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = BOMBS[name]()
    peaks = []
    monkeypatch.setattr(tables.subprocess, "run", measured(peaks))
    own = used(resource.RUSAGE_SELF)
    child = used(resource.RUSAGE_CHILDREN)
    with pytest.raises(DomainError) as refused:
        read_table(content, "book.xlsx")
    spent = used(resource.RUSAGE_SELF) - own + used(resource.RUSAGE_CHILDREN) - child
    assert refused.value.code.startswith("table-")
    assert spent <= SECONDS, f"{spent:.1f} s"
    assert max(peaks, default=0) <= MEGABYTES * 1024, f"{max(peaks) // 1024} MB"
    assert list(tmp_path.iterdir()) == []


MEASURING = (
    "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); "
    "sys.exit(done.returncode % 256)"
)


def measured(peaks):
    """Run a command and write down the kilobytes it held at most, as the kernel counted them.

    A small process stands between: a child begins with what its parent holds.
    """
    run = tables.subprocess.run

    def watched(command, **options):
        done = run([tables.sys.executable, "-I", "-S", "-c", MEASURING, *command], **options)
        peaks.append(int(done.stderr.split()[-1]))
        return done

    return watched


def test_nothing_secret_is_in_the_surroundings_of_the_child(monkeypatch):
    seen = {}
    run = tables.subprocess.run

    def watched(command, **options):
        seen.update(options["env"])
        return run(command, **options)

    monkeypatch.setenv("CALIB_SMTP_PASSWORD", "secret")
    monkeypatch.setattr(tables.subprocess, "run", watched)
    with pytest.raises(DomainError):
        read_table(packed(), "book.xlsx")
    assert "CALIB_SMTP_PASSWORD" not in seen
    assert "secret" not in str(seen)


@pytest.mark.parametrize(
    "act",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "open('/etc/hostname')",
    ],
)
def test_a_broken_child_reaches_nothing(act):
    code = (
        "import importlib.util as u\n"
        f"spec = u.spec_from_file_location('workbook', {str(Path(workbook.__file__))!r})\n"
        "workbook = u.module_from_spec(spec); spec.loader.exec_module(workbook)\n"
        f"workbook.be_small(); workbook.be_shut()\n{act}"
    )
    done = tables.subprocess.run(
        [tables.sys.executable, "-I", "-c", code], capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"reaches nothing" in done.stderr
