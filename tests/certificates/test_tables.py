"""Tables, figures and statements say of the limits what was judged."""

from dataclasses import replace

import pypdfium2
import pytest

from calib.certificates.figures import bands
from calib.certificates.pdf import render
from calib.certificates.reread import read_file, reread
from calib.certificates.tables import batch_parts
from calib.evaluation.inputs import DecisionRule, StandardValue
from tests.support import inputs
from tests.support.documents import a_document


def _rows(offset):
    return tuple((x, f"{x}.000", f"{x}{offset}") for x in ("10", "50", "100"))


def _turned(record):
    """Return the record with a type that reports the correction in place of the error."""
    (measurand,) = record.definition.measurands
    turned = replace(measurand, output="correction", function=f"-1*({measurand.function})")
    return replace(record, definition=replace(record.definition, measurands=(turned,)))


def test_a_correction_stands_beside_the_limits_it_was_judged_by():
    record = inputs.digital(
        _rows(".05"),
        decision_rule=DecisionRule("guard_U"),
        limits=inputs.customer_limits("-0.10", "0.04"),
    )
    document = a_document(_turned(record))
    pdf = render(document, {})

    assert document.result.verdict == "pass"
    assert reread(document, pdf, {}) == ()
    text = read_file(pdf).text
    assert "-0.10 … 0.04" in text
    assert "-0.079 … 0.019" in text
    assert "-0.04 … 0.10" not in text


def test_the_statement_says_that_it_speaks_of_the_item_as_it_was_left():
    found = inputs.digital(_rows(".30"))
    left = inputs.digital(_rows(".02"))
    points = tuple(
        replace(p, stage="as_left", key=p.key.replace("as_found", "as_left")) for p in left.points
    )
    record = replace(
        found,
        points=(*found.points, *points),
        decision_rule=DecisionRule("simple"),
        limits=inputs.customer_limits("-0.10", "0.10"),
    )
    document = a_document(record)
    text = read_file(render(document, {})).text

    assert document.result.verdict == "pass"
    assert [p.verdict for p in document.result.points] == ["fail"] * 3 + ["pass"] * 3
    assert "As left · Pass. Every result lies within its limits" in text
    assert "调整后 · 合格。" in text


@pytest.mark.parametrize(
    ("rows", "drawn"),
    [
        ({35: ("-0.3", "0.3"), 41: ("-0.3", "0.3")}, [(34.52, 41.48)]),
        ({37: ("-0.3", None)}, [(34.04, 39.96)]),
        (
            {5: ("-6", "6"), 25: ("-5", "5"), 1000: ("-6", "6")},
            [(-3.0, 13.0), (17.0, 33.0), (992.0, 1008.0)],
        ),
    ],
)
def test_no_limit_is_drawn_where_it_may_change(rows, drawn):
    found = bands({float(x): limits for x, limits in rows.items()})

    ends = [end for *pair, _ in found for end in pair]
    assert ends == pytest.approx([end for pair in drawn for end in pair])
    assert {limits for *_, limits in found} == set(rows.values())


def test_a_standard_is_named_with_the_span_of_its_uncertainty():
    table = (StandardValue("0", "0", "0.02", "2"), StandardValue("100", "100.1", "1.0", "2.00"))
    standard = inputs.a_standard(values=table, low="-10", high="100.0")
    document = a_document(replace(inputs.digital(), standards=(standard,)))
    (used,) = document.measurement.standards

    assert (used.range, used.uncertainty) == ("-10 … 100.0 °C", "U = 0.02 … 1.0 °C (k = 2)")


def test_a_batch_gives_the_degrees_of_freedom_of_a_k_that_is_not_2():
    values = (StandardValue("37", "37", "0.08", "2.87", "4"),)
    record = replace(
        inputs.glass([("37.02", "41.00")] * 9), standards=(inputs.a_standard(values=values),)
    )
    text = read_file(render(a_document(record), {})).text

    assert "37 37.000 0.081 2.32 9 -0.15 … 0.10" in text


def _long(document, digits):
    """Return the document with long negative numbers in every column of its results."""
    tail = "123456789012"[:digits]

    def longer(point):
        printed = replace(
            point.printed, nominal=f"-{point.printed.nominal}.5", reference=f"-{tail[:2]}.{tail}",
            indication=f"-{tail[:3]}.{tail}", error=f"-0.{tail}", correction=f"0.{tail}",
            U=f"0.0{tail}", k="13.97", lower=f"-0.{tail}", upper=f"-0.0{tail}",
        )  # fmt: skip
        return replace(
            point, printed=printed, acceptance=(f"-0.2{tail}", f"-0.1{tail}"), dof=1.0, U=1.0
        )

    points = tuple(longer(point) for point in document.result.points)
    return replace(document, result=replace(document.result, points=points))


def _boxes(page, text):
    """Return left, right and middle height of every place where the page shows the text."""
    words, found = page.get_textpage(), []
    places = words.search(text)
    while (place := places.get_next()) is not None:
        start, count = place
        boxes = [words.get_charbox(i) for i in range(start, start + count)]
        found.append([(left, right, (low + high) / 2) for left, low, right, high in boxes])
    return found


@pytest.mark.parametrize("language", ["zh", "en", "zh+en"])
@pytest.mark.parametrize("digits", [5, 8, 12])
def test_no_number_of_a_wide_table_is_parted_or_leaves_its_column(language, digits):
    record = inputs.digital(
        _rows(".05"),
        decision_rule=DecisionRule("guard_U"),
        limits=inputs.customer_limits("-0.10", "0.04"),
    )
    document = _long(replace(a_document(record), language=language, include_budget=True), digits)
    pdf = render(document, {})

    assert reread(document, pdf, {}) == ()
    rows = 0
    opened = pypdfium2.PdfDocument(pdf)
    shown = document.result.points[0].printed
    for page in opened:
        for line in _boxes(page, shown.reference):
            rows += 1
            ((left, right, height), *_), (_, end, last) = line, line[-1]
            assert last == pytest.approx(height, abs=4)
            (beside,) = [
                other for other in _boxes(page, shown.indication)
                if other[-1][2] == pytest.approx(last, abs=2)
            ]  # fmt: skip
            assert end + 2 < beside[0][0]
            assert beside[-1][1] < page.get_width() - 50
            assert left > 50
            assert right > left
    opened.close()
    assert rows == len(document.result.points)


def test_results_stand_with_their_decimal_points_above_each_other():
    points = ("-1.67", "0.5", "-16.2", "7")
    document = a_document(inputs.digital(_rows(".05")))
    one, *_ = document.result.points
    rows = tuple(
        replace(one, key=f"{one.key}{i}", printed=replace(one.printed, error=error))
        for i, error in enumerate(points)
    )
    document = replace(document, result=replace(document.result, points=rows))
    opened = pypdfium2.PdfDocument(render(document, {}))
    ends = []
    for page in opened:
        for number in points[:3]:
            ends += [round(line[number.index(".")][0]) for line in _boxes(page, number)]
    opened.close()

    assert len(ends) == 3
    assert len(set(ends)) == 1


def test_a_batch_with_many_points_is_told_in_tables_that_can_be_read():
    record = inputs.glass([("37.02", "41.00")] * 3)
    document = a_document(record)
    pair = document.result.points[:2]
    rows = tuple(
        replace(
            point, piece=piece, key=f"{piece}/{n}.5", error=-0.1,
            printed=replace(point.printed, nominal=f"{n}.5", error=f"-0.{piece}{n}12345"),
        )
        for piece in (1, 2, 3)
        for n in range(30, 48)
        for point in pair[:1]
    )  # fmt: skip
    document = replace(document, result=replace(document.result, points=rows))

    assert len(batch_parts(document.measurement.measurands[0], rows)) == 4
    assert reread(document, render(document, {}), {}) == ()


def test_a_tiny_part_of_a_budget_is_a_power_of_ten_that_the_fonts_can_draw():
    document = a_document(inputs.digital(_rows(".05")))
    one, *others = document.result.points
    tiny = tuple(replace(line, u=1.23e-7, c=-4.5e-6) for line in one.budget)
    result = replace(document.result, points=(replace(one, budget=tiny), *others))
    document = replace(document, result=result, include_budget=True)
    pdf = render(document, {})

    assert reread(document, pdf, {}) == ()
    text = read_file(pdf).text.replace(" ", "")
    assert "1.23×10-7" in text
    assert "-4.5×10-6" in text
    assert "e-0" not in text
