"""The file itself: the same bytes everywhere, archival, honest about hostile text and previews."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from calib.certificates.document import Amendment
from calib.certificates.fonts import LATIN_FACES, latin_files
from calib.certificates.pdf import preview_png, render, template_digest
from calib.certificates.reread import read_file, reread
from instruments.errors import Refused
from instruments.text import LocalizedText
from tests.support.documents import (
    digital_certificate,
    ear_verification,
    forehead_certificate,
    glass_batch,
)

ROOT = Path(__file__).parents[2]
_RENDER = """
import hashlib, sys
from tests.support.documents import digital_certificate
from calib.certificates.pdf import render
print(hashlib.sha256(render(digital_certificate(), {"input.json": b"{}"})).hexdigest())
"""


SURROUNDINGS = [
    ("UTC", "C"),
    ("Asia/Shanghai", "zh_CN.UTF-8"),
    ("America/St_Johns", "de_DE.UTF-8"),
    ("Pacific/Kiritimati", "C.UTF-8"),
    ("Europe/Berlin", "tr_TR.UTF-8"),
    ("Asia/Kathmandu", "en_US.UTF-8"),
]


def _rendered_under(zone, language, seed):
    around = {"TZ": zone, "LANG": language, "LC_ALL": language, "PYTHONHASHSEED": str(seed)}
    run = subprocess.run(
        [sys.executable, "-c", _RENDER],
        cwd=ROOT,
        env={**os.environ, **around},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def _rendered_here():
    return hashlib.sha256(render(digital_certificate(), {"input.json": b"{}"})).hexdigest()


def test_the_same_document_gives_the_same_bytes_in_another_process():
    assert _rendered_under("Asia/Shanghai", "zh_CN.UTF-8", 7) == _rendered_here()


@pytest.mark.slow
def test_the_same_document_gives_the_same_bytes_under_any_zone_language_and_hash_seed():
    seen = {_rendered_under(*around, seed) for seed, around in enumerate(SURROUNDINGS)}
    assert seen == {_rendered_here()}


def test_the_file_declares_pdf_a_3a_and_pdf_ua_1_and_ends_with_a_line_end():
    pdf = render(forehead_certificate(), {})
    assert b"pdfaid:part" in pdf
    assert b"pdfuaid:part" in pdf
    assert pdf.endswith(b"%%EOF\n")


def test_the_document_and_the_input_are_attached_byte_for_byte():
    document = forehead_certificate()
    content = json.dumps({"名": "值", "n": "20.10"}, ensure_ascii=False).encode()
    attached = read_file(render(document, {"input.json": content})).attachments
    assert attached == {"certificate.json": document.canonical(), "input.json": content}


@pytest.mark.parametrize(
    "name",
    [
        '#read("/etc/passwd")',
        "] #panic() [",
        "$x^2$ \\ // /* `raw` */",
        "<script>*bold* _it_ @ref ~",
        '"); sys.inputs',
        "-2 … #sys.version ' \" “”",
    ],
)
def test_hostile_names_are_printed_as_they_are(name):
    document = forehead_certificate("en")
    document = replace(
        document,
        customer=replace(document.customer, name=LocalizedText(en=name)),
        remarks=(name,),
        item=replace(document.item, maker=name),
    )
    assert reread(document, render(document, {}), {}) == ()


def test_a_character_no_font_draws_is_named():
    document = forehead_certificate()
    document = replace(document, remarks=("\u0628",))
    with pytest.raises(Refused, match="cannot draw") as stop:
        render(document, {})
    assert stop.value.code == "text-unprintable"


def test_a_preview_bears_its_mark_on_every_page_and_neither_address_nor_attachment():
    document = forehead_certificate()
    seen = read_file(render(document, {"input.json": b"{}"}, preview=True))
    assert all("PREVIEW" in page and "预览" in page for page in seen.pages)
    assert document.token not in seen.text
    assert seen.attachments == {}


def test_pages_of_the_preview_are_pictures_and_a_missing_page_is_said():
    document = forehead_certificate()
    assert preview_png(document, 1, ppi=30).startswith(b"\x89PNG")
    assert preview_png(document, 2, ppi=30) != preview_png(document, 1, ppi=30)
    with pytest.raises(Refused, match="page 99"):
        preview_png(document, 99, ppi=30)


def test_long_names_and_many_remarks_do_not_push_anything_off_the_page():
    document = forehead_certificate()
    long = "Extraordinarily-Long-Manufacturer-Name-" * 4
    document = replace(
        document,
        item=replace(document.item, maker=long, serial="SN-" + "0123456789" * 5),
        customer=replace(document.customer, name=LocalizedText(zh="很长的名称" * 20, en=long)),
        remarks=("备注" * 120, "remark " * 80),
        deviations=("Measured at 24 °C by agreement.",),
        opinions=("The drift is unusual for the type.",),
        external_results=("Humidity: laboratory of the university.",),
        amendment=Amendment("RD2026-000100", "serial number mistyped"),
    )
    assert reread(document, render(document, {}), {}) == ()


def test_missing_optional_parts_leave_no_trace():
    document = forehead_certificate("en")
    document = replace(
        document,
        lab=replace(document.lab, phone="", email="", accreditation="", authorisation=""),
        customer=replace(document.customer, address=""),
        item=replace(
            document.item, asset_number="", barcode="", condition="", customer_supplied=()
        ),
        order_number="",
    )
    pdf = render(document, {})
    assert reread(document, pdf, {}) == ()
    text = read_file(pdf).text
    assert "Accreditation" not in text
    assert "Asset number" not in text


def test_a_verification_prints_its_validity_and_a_calibration_no_date_to_come():
    text = read_file(render(ear_verification("zh"), {})).text
    assert "有效期至" in text
    assert "2027-03-01" in text
    text = read_file(render(forehead_certificate("zh"), {})).text
    assert "下次校准" not in text
    agreed = replace(forehead_certificate("zh"), next_due_on="2027-03-02", interval_agreed=True)
    assert "2027-03-02" in read_file(render(agreed, {})).text


def test_a_notice_names_what_failed_and_forbids_the_use():
    text = read_file(render(ear_verification("zh", "1"), {})).text.replace(" ", "")
    assert "检定结果通知书" in text
    assert "不合格项目：" in text
    assert "37.0°C" in text
    assert "该器具不得用于规定用途" in text
    assert "有效期至2" not in text


def test_a_batch_names_its_rejects_and_says_it_is_verified_once():
    text = read_file(render(glass_batch(12, 2, "en"), {})).text
    assert "Pieces that do not pass (2 of 12): P1, P2" in text
    assert "First verification only" in text


def test_unconfirmed_limits_are_said_in_a_loud_word():
    document = forehead_certificate("en")
    document = replace(
        document, result=replace(document.result, unconfirmed_limits=("JJF 1107-2003",))
    )
    assert "UNCONFIRMED LIMITS" in read_file(render(document, {})).text


def test_the_unsigned_page_says_so_in_words():
    assert "Unsigned" in read_file(render(forehead_certificate("en"), {})).pages[0]
    assert "未签章" in read_file(render(forehead_certificate("zh"), {})).pages[0].replace(" ", "")


def test_the_latin_font_comes_from_one_set_of_files():
    assert [file.suffix for file in latin_files()] == [".otf"] * len(LATIN_FACES)
    assert len(template_digest()) == 64
