"""The file is read back: what it says must be what the document says, number by number."""

from dataclasses import replace

import pytest

from calib.certificates.pdf import render
from calib.certificates.reread import read_file, reread
from tests.support.documents import (
    digital_certificate,
    ear_verification,
    forehead_certificate,
    glass_batch,
)

INPUT = {"input.json": b'{"kind":"calibration"}'}


@pytest.fixture(scope="module")
def forehead():
    return render(forehead_certificate(), INPUT)


def _codes(document, pdf, attachments=INPUT):
    return {finding.code for finding in reread(document, pdf, attachments)}


def _with_printed(document, index, **changes):
    points = list(document.result.points)
    points[index] = replace(points[index], printed=replace(points[index].printed, **changes))
    return replace(document, result=replace(document.result, points=tuple(points)))


@pytest.mark.parametrize("language", ["zh", "en", "zh+en"])
@pytest.mark.parametrize(
    "make",
    [forehead_certificate, digital_certificate, ear_verification],
)
def test_every_number_of_each_kind_can_be_read_back(make, language):
    document = make(language)
    assert reread(document, render(document, INPUT), INPUT) == ()


def test_a_notice_and_a_large_batch_can_be_read_back():
    for document in (ear_verification(shift="1"), glass_batch(300, 7)):
        assert reread(document, render(document, INPUT), INPUT) == ()


@pytest.mark.parametrize("field", ["nominal", "reference", "indication", "error", "U", "k"])
def test_one_other_digit_in_a_row_is_found(forehead, field):
    document = forehead_certificate()
    text = getattr(document.result.points[2].printed, field)
    other = text[:-1] + ("1" if text[-1] != "1" else "2")
    assert "file-row-missing" in _codes(_with_printed(document, 2, **{field: other}), forehead)


def test_a_lost_sign_is_found(forehead):
    document = forehead_certificate()
    shown = document.result.points[2].printed
    assert shown.error.startswith("-")
    assert "file-row-missing" in _codes(_with_printed(document, 2, error=shown.error[1:]), forehead)


def test_rows_that_changed_places_are_found(forehead):
    document = forehead_certificate()
    first, second = (p.printed for p in document.result.points[:2])
    swapped = _with_printed(document, 0, error=second.error)
    assert first.error != second.error
    assert "file-row-missing" in _codes(swapped, forehead)


@pytest.mark.parametrize("field", ["number", "issued_on", "order_number", "performed_on"])
def test_another_fact_is_found(forehead, field):
    document = forehead_certificate()
    other = replace(document, **{field: getattr(document, field)[:-1] + "9"})
    assert _codes(other, forehead) & {"file-text-missing", "file-page-number"}


def test_a_curve_parameter_with_another_digit_is_found():
    document = digital_certificate()
    curve = document.result.curves[0]
    parameter = replace(curve.parameters[0], printed="-0.1234(29)")
    other = replace(
        document,
        result=replace(
            document.result,
            curves=(replace(curve, parameters=(parameter, *curve.parameters[1:])),),
        ),
    )
    assert "file-row-missing" in _codes(other, render(document, INPUT))


def test_another_attachment_is_found(forehead):
    assert "file-attachment" in _codes(
        forehead_certificate(), forehead, {"input.json": b'{"kind":"other"}'}
    )


def test_a_preview_is_not_taken_for_a_certificate():
    document = forehead_certificate()
    codes = _codes(document, render(document, INPUT, preview=True))
    assert {"file-preview", "file-attachment", "file-text-missing"} <= codes


def test_words_of_conformity_are_found_where_none_may_stand(forehead):
    document = forehead_certificate()
    silent = replace(document, result=replace(document.result, verdict="cannot_be_stated"))
    assert "file-conformity-word" in _codes(silent, forehead)


def test_what_cannot_be_stated_bears_no_word_of_conformity():
    document = digital_certificate("en")
    silent = replace(document, result=replace(document.result, verdict="cannot_be_stated"))
    pdf = render(silent, INPUT)
    assert reread(silent, pdf, INPUT) == ()
    text = read_file(pdf).text
    assert "it cannot be made" in text
    assert "Pass" not in text
    assert "Fail" not in text


def test_a_file_without_its_marks_is_found(forehead):
    document = forehead_certificate()
    assert "file-not-archival" in _codes(
        document, forehead.replace(b"pdfuaid:part", b"pdfuaid:none")
    )
    assert _codes(document, b"%PDF-1.7 nothing") == {"file-unreadable"}


def test_numbers_can_be_copied_with_a_plain_minus(forehead):
    assert " -0.06 " in read_file(forehead).text
