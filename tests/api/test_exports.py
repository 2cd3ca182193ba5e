"""Tables that are handed out: whatever a text begins with, no program takes it for a formula."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest

from api.sheets import csv_file, xlsx_file
from instruments.services.tables import read_table

PREFIXES = (
    "=", "+", "-", "@", "\t", "\r", "\n", "\0=", " =", "＝", "＋", "－", "＠", "'=", '"=', ";=",
    "\ufeff=", "\u200b=",
)  # fmt: skip
PAYLOADS = ("1+1", "cmd|'/c calc'!A0", 'HYPERLINK("http://x","y")', "SUM(1,1)", "A1", "")
NUMBERS = ("-5", "-0.010", "+3", "-1e-3", "12.50", "+0.5", "-20", "0", "-.5", "-1.0E+4")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def dangerous(cell):
    return cell.lstrip(" \ufeff\u200b\0").startswith(DANGEROUS)


def texts():
    return [f"{prefix}{payload}" for prefix in PREFIXES for payload in PAYLOADS]


def test_no_text_of_a_csv_begins_as_a_formula():
    rows = [["text", "number"], *([text, "1"] for text in texts())]
    body = csv_file(rows, "x.csv").body.decode("utf-8-sig")
    found = [cell for row in csv.reader(io.StringIO(body, newline="")) for cell in row]
    assert not [cell for cell in found if dangerous(cell)]
    for text in texts():
        if not dangerous(text):
            assert text in found


@pytest.mark.parametrize("number", NUMBERS)
def test_a_true_number_stays_as_it_is(number):
    body = csv_file([["a"], [number]], "x.csv").body.decode("utf-8-sig")
    assert body == f"a\r\n{number}\r\n"


@pytest.mark.parametrize(
    "near", ["-5+1", "--5", "-A1", "+1+1", "-5 ", "-1e", "-0x10", "-1,5", "- 5", "-∞"]
)
def test_what_only_looks_like_a_number_is_a_text(near):
    body = csv_file([[near]], "x.csv").body.decode("utf-8-sig")
    (cell,) = next(csv.reader([body.strip("\r\n")]))
    assert cell == f"'{near}"


def test_every_cell_of_a_workbook_is_text_and_none_a_formula_or_a_link():
    kept = [text.replace("\0", "").replace("\r", "") for text in texts()]
    content = xlsx_file([["heading"], *([text] for text in texts())], "x.xlsx").body
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [row[0] for row in book.active.iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n"}
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    for cell, text in zip(cells, kept, strict=True):
        assert cell.value is None or cell.value.strip() == text.strip() or "_x" in str(cell.value)


def test_what_goes_out_comes_back():
    rows = [["text"], *([text] for text in ("=1", "-5", "plain", "@x"))]
    back = read_table(csv_file(rows, "x.csv").body, "x.csv")
    assert [row["text"] for row in back] == ["'=1", "-5", "plain", "'@x"]
    book = read_table(xlsx_file(rows, "x.xlsx").body, "x.xlsx")
    assert [row["text"] for row in book] == ["=1", "-5", "plain", "@x"]


NAMES = [
    *("../../etc/passwd", "..\\..\\x", "/etc/passwd", "C:\\x", "a/b", "x\r\nSet-Cookie: a=b",
      "x\nX: y", 'x"; filename="y', "x;y", "x\0y", "x\x1b[2J", "x\u202efdp.exe", "", ".", "..",
      "CON", "nul.txt", "a" * 500, "名称.pdf", "é.pdf", "%2e%2e%2f", "%00", "x'y", "x`y", "$(id)",
      "${x}", "{{7*7}}", "<script>", "x y", " x", "x ", "-rf", "--help", "~", "*", "?", "|", "&"),
    *(f"x{chr(code)}y.csv" for code in range(1, 32)),
    *(f"{prefix}report.csv" for prefix in PREFIXES),
    *(chr(code) * 3 for code in (0x7F, 0x80, 0x85, 0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFD, 0x1F600,
                                 0x5C, 0x2215, 0xFF0F, 0x301)),
]  # fmt: skip


def test_a_hundred_names_are_safe_in_headers():
    from api.files import download

    assert len(set(NAMES)) >= 100
    for name in NAMES:
        told = download(b"", "text/plain", name).headers["content-disposition"]
        assert told.isascii()
        assert told.isprintable()
        assert told.startswith("attachment; filename*=UTF-8''")
        rest = told.removeprefix("attachment; filename*=UTF-8''")
        assert not set(rest) & set('/\\";,\r\n \0')


def test_a_hundred_names_reach_nothing_outside_the_store(door, tmp_path):
    before = {path for path in tmp_path.rglob("*") if "files" not in path.parts}
    client = door.as_(door.bench.technician)
    manager = b"a,b\r\n1,2\r\n"
    for number, name in enumerate(NAMES):
        answer = client.post(
            "/api/v1/instruments/import",
            files={"file": (name or "x", manager)},
            headers={"Idempotency-Key": f"name-{number:04d}"},
        )
        assert answer.status_code in (400, 403, 404, 409, 422), (name, answer.text)
        assert "set-cookie" not in answer.headers
    after = {path for path in tmp_path.rglob("*") if "files" not in path.parts}
    assert {p.name for p in after - before} <= {"calib.db-wal", "calib.db-shm", "calib.db-journal"}
