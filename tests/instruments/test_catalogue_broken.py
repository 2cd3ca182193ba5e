"""Each way a type file can be wrong: the message names the file, the line and the key path."""

from importlib.resources import files

import pytest

from instruments.catalogue.loader import read_file

FOREHEAD = "thermometer.infrared_forehead"
ELECTRONIC = "thermometer.medical_electronic"
GLASS = "thermometer.glass_clinical"
DIGITAL = "thermometer.digital_probe"
PUMP = "pump.infusion_syringe"


def shipped(id_):
    return (files("instruments.catalogue.types") / f"{id_}.toml").read_text("utf-8")


def check(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path, read_file(path).findings


# of each row: the type that is broken, what is replaced (its last line is the one blamed unless
# `line_of` says another), by what, the code, the key path and words of the message
BROKEN = {
    "unknown key": (
        FOREHEAD, "batch_size = 3\nacclimatisation_minutes = 30", "acclimatisation_minutes = 30",
        "type-structure", "batch_size", "unknown key; known are",
    ),
    "unknown key in a component": (
        FOREHEAD, 'half_widht = "0.03"', 'half_width = "0.03"',
        "type-structure", "measurands[0].components[3].half_widht", "unknown key",
    ),
    "float instead of text": (
        FOREHEAD, "half_width = 0.03", 'half_width = "0.03"',
        "type-number-not-text", "measurands[0].components[3].half_width", 'write "0.03"',
    ),
    "integer instead of text": (
        DIGITAL, 'default = ["0", 25, "50", "75", "100"]',
        'default = ["0", "25", "50", "75", "100"]',
        "type-number-not-text", "measurands[0].points.default[1]", 'write "25"',
    ),
    "text instead of a count": (
        FOREHEAD, 'readings = "10"', "readings = 10",
        "type-structure", "measurands[0].points.readings", "expected a whole number",
    ),
    "table instead of a list": (
        FOREHEAD, 'kinds = "calibration"', 'kinds = ["calibration", "check"]',
        "type-structure", "kinds", "expected a list",
    ),
    "word that is no choice": (
        FOREHEAD, 'output = "difference"', 'output = "error"',
        "type-structure", "measurands[0].output", "expected one of",
    ),
    "missing language": (
        FOREHEAD, 'name = { en = "Resolution" }', 'name = { en = "Resolution", zh = "分辨力" }',
        "type-language", "measurands[0].components[1].name", "words in zh are missing",
    ),
    "empty language": (
        FOREHEAD, 'name = { en = " ", zh = "分辨力" }',
        'name = { en = "Resolution", zh = "分辨力" }',
        "type-language", "measurands[0].components[1].name", "words in en are missing",
    ),
    "overlapping limits": (
        ELECTRONIC, 'confidence = "V2"\nlower = "-0.1"\nupper = "0.1"\nstart = "36.9"',
        'confidence = "V2"\nlower = "-0.1"\nupper = "0.1"\nstart = "37.0"',
        "type-limits-overlap", "measurands[0].limits[2]",
        "[36.9, 39.0] overlaps limits[1], the range [35.3, 37.0)",
    ),
    "both ends included": (
        PUMP, 'start = "5"\nend = "20"\n\n', 'start = "5"\nend = "20"\nend_included = false\n\n',
        "type-limits-overlap", "measurands[0].limits[1]", "[20, 200] overlaps limits[0]",
    ),
    "point without a limit": (
        PUMP, 'start = "5"\nend = "4"\nend_included = false',
        'start = "5"\nend = "20"\nend_included = false',
        "type-limits-gap", "measurands[0].points.default[0]", "point 5 for pump = syringe",
    ),
    "unknown variant": (
        PUMP, 'when = { pump = "peristaltic" }', 'when = { pump = "syringe" }',
        "type-variant-unknown", "measurands[0].limits[0].when.pump", "pump = syringe, infusion",
    ),
    "limit without sides": (
        GLASS, "", 'lower = "-0.15"\nupper = "0.10"\n',
        "type-limit-empty", "measurands[0].limits[0]", "neither lower nor upper",
    ),
    "range turned round": (
        ELECTRONIC, 'start = "39.5"\nend = "39.0"', 'start = "37.0"\nend = "39.0"',
        "type-range", "measurands[0].limits[2].start", "39.5 lies above end 39.0",
    ),
    "lower above upper": (
        GLASS, 'lower = "0.1"\nupper = "0.1"', 'lower = "-0.15"\nupper = "0.10"',
        "type-range", "measurands[0].limits[0].lower", "not below",
    ),
    "unknown unit": (
        FOREHEAD, 'quantity = "temperature"\nunit = "°C"',
        'quantity = "temperature"\nunit = "degC"',
        "unit-unknown", "measurands[0].unit", "°C is no unit of temperature. Use one of: degC",
    ),
    "unit of another quantity": (
        PUMP, 'output_unit = "mL/h"', 'output_unit = "%"',
        "unit-unknown", "measurands[0].output_unit", "no unit of ratio",
    ),
    "unknown unit of an input": (
        FOREHEAD, 'source = "item"\nunit = "furlong"', 'source = "item"\nunit = "degC"',
        "unit-unknown", "measurands[0].inputs.t_ind.unit", "furlong",
    ),
    "unknown quantity": (
        GLASS, 'quantity = "warmth"\nunit = "degC"\noutput',
        'quantity = "temperature"\nunit = "degC"\noutput',
        "quantity-unknown", "measurands[0].quantity", "warmth is not known",
    ),
    "unknown document": (
        GLASS, 'document = "JJG 111-2003"\nconfidence = "V2"\nlower',
        'document = "JJG 111-2019"\nconfidence = "V2"\nlower',
        "type-document-unknown", "measurands[0].limits[0].document", "[JJG 111-2003] is not among",
    ),
    "limit without a document": (
        ELECTRONIC, 'document = ""\nconfidence = "BG"\nlower',
        'document = "GB/T 21416-2008"\nconfidence = "BG"\nlower',
        "type-document-unknown", "measurands[0].limits[0].document", "is not among",
    ),
    "duplicate component": (
        FOREHEAD, 'id = "t_ind_rep"\ninput = "d_amb"', 'id = "d_amb"\ninput = "d_amb"',
        "type-duplicate", "measurands[0].components[6].id", "t_ind_rep occurs twice",
    ),
    "duplicate point": (
        GLASS, 'default = ["37", "37"]', 'default = ["37", "41"]',
        "type-duplicate", "measurands[0].points.default[1]", "37 occurs twice",
    ),
    "unknown name in the function": (
        GLASS, 'function = "t_ind - (t_ref + c_std) + d_read + d_bath + d_wind"',
        'function = "t_ind - (t_ref + c_std) + d_read + d_bath"',
        "type-function", "measurands[0].function", "uses d_wind",
    ),
    "function that cannot be read": (
        GLASS, 'function = "t_ind - (t_ref + c_std + d_read + d_bath"',
        'function = "t_ind - (t_ref + c_std) + d_read + d_bath"',
        "type-function", "measurands[0].function", "cannot be read",
    ),
    "component without effect": (
        GLASS, 'function = "t_ind - (t_ref + c_std) + d_read"',
        'function = "t_ind - (t_ref + c_std) + d_read + d_bath"',
        "type-function", "measurands[0].components[3].input", "no effect",
    ),
    "input without use": (
        DIGITAL, '[measurands.inputs.t_out]\nlabel = { en = "Indication", zh = "示值" }',
        '[measurands.inputs.t_ind]\nlabel = { en = "Indication", zh = "示值" }',
        "type-function", "measurands[0].inputs.t_out", "does not use",
    ),
    "decimal comma": (
        FOREHEAD, 'half_width = "0,03"', 'half_width = "0.03"',
        "decimal-comma", "measurands[0].components[3].half_width", "use a point: 0.03",
    ),
    "not a number": (
        GLASS, 'upper = "nan"', 'upper = "0.10"',
        "decimal-not-finite", "measurands[0].limits[0].upper", "no finite number",
    ),
    "zero half-width": (
        FOREHEAD, 'half_width = "0.00"', 'half_width = "0.03"',
        "type-not-positive", "measurands[0].components[3].half_width", "above zero",
    ),
    "verified without a source": (
        FOREHEAD, 'confidence = "V2"\nsource = ""\n',
        'confidence = "V2"\nsource = "S10 elsmar.com thread 80767"\n',
        "type-source", "documents[1]", "needs the source",
    ),
    "verified by a document without a source": (
        DIGITAL, 'high = "350"\nconfidence = "V2"', 'high = "350"\nconfidence = "BG"',
        "type-source", "measurands[0].points.confidence", "JJF 1171-2007 has none",
    ),
    "component without confidence": (
        DIGITAL, 'half_width = "0.005"\ncommon = true\n',
        'half_width = "0.005"\ncommon = true\nconfidence = "BG"\n',
        "type-confidence", "measurands[0].components[5]", "Write V, V2 or BG",
    ),
    "point out of range": (
        GLASS, 'default = ["37", "43"]', 'default = ["37", "41"]',
        "type-points", "measurands[0].points.default[1]", "43 lies outside 35 to 42",
    ),
    "low above high": (
        GLASS, 'low = "36"\nhigh = "35"\ndocument', 'low = "15"\nhigh = "35"\ndocument',
        "type-range", "environment[0].low", "36 lies above high 35",
    ),
    "too few points for the curve": (
        DIGITAL, "degree = 2", "degree = 1",
        "type-fit", "measurands[0].fit", "minimum = 4",
    ),
    "curve over nothing": (
        DIGITAL, 'x = "t"', 'x = "t_ind"',
        "type-fit", "measurands[0].fit.x", "t is no declared input",
    ),
    "size given twice": (
        DIGITAL, 'half_width = "0.005"\nu = "0.003"\n', 'half_width = "0.005"\n',
        "type-component", "measurands[0].components[5]", "size once",
    ),
    "size that is ignored": (
        FOREHEAD, 'evaluate = "resolution"\nhalf_width = "0.05"', 'evaluate = "resolution"',
        "type-component", "measurands[0].components[1].half_width", "does not read half_width",
    ),
    "one reading without a record": (
        GLASS, 'distribution = "normal"\nconfidence = "BG"\n\n[[',
        'distribution = "normal"\npooled = { s = "0.015", dof = "19" }\nconfidence = "BG"\n\n[[',
        "type-component", "measurands[0].components[0]", "Give pooled with its s and dof",
    ),
    "environment without ends": (
        GLASS, 'unit = "degC"\ndocument', 'unit = "degC"\nlow = "15"\nhigh = "35"\ndocument',
        "type-limit-empty", "environment[0]", "neither low nor high",
    ),
    "no readings": (
        DIGITAL, "readings = 0", "readings = 4",
        "type-not-positive", "measurands[0].points", "one or more",
    ),
    "fewer points than the minimum": (
        DIGITAL, "minimum = 6", "minimum = 3",
        "type-points", "measurands[0].points.default", "minimum asks for 6",
    ),
    "no kind of record": (
        FOREHEAD, "kinds = []", 'kinds = ["calibration", "check"]', "type-empty", "kinds", "empty",
    ),
    "interval of no months": (
        GLASS, "interval_months = 0\nbatch = true", "batch = true",
        "type-not-positive", "interval_months", "above zero",
    ),
    "verification of no kind": (
        GLASS, "verification_kinds = []", 'verification_kinds = ["initial"]',
        "type-law", "verification_kinds", "disagree",
    ),
    "curve without a slope": (
        DIGITAL, "degree = 0", "degree = 1", "type-fit", "measurands[0].fit.degree", "one or more",
    ),
    "U without k": (
        DIGITAL, 'U = "0.01"\ndistribution = "normal"', 'half_width = "0.005"',
        "type-component", "measurands[0].components[5]", "U and k belong together",
    ),
    "fraction of nothing": (
        PUMP, 'relative_half_width = "0.003"\n', 'relative_half_width = "0.003"\nof = "q_ref"\n',
        "type-component", "measurands[0].components[3]", "a fraction of which quantity",
    ),
    "fraction of an unknown input": (
        PUMP, 'of = "q"', 'of = "q_ref"',
        "type-component", "measurands[0].components[1].of", "q is no declared input",
    ),
    "normal half-width": (
        DIGITAL, 'distribution = "normal"\nhalf_width = "0.005"', 'half_width = "0.005"',
        "type-component", "measurands[0].components[5].distribution", "normal does not fit",
    ),
    "resolution of the standard": (
        FOREHEAD, 'id = "d_res"\ninput = "t_ref"', 'id = "d_res"\ninput = "t_ind"',
        "type-component", "measurands[0].components[1].input", "cannot stand on t_ref (standard)",
    ),
    "identity in capitals": (
        GLASS, 'id = "Glass"', 'id = "thermometer.glass_clinical"', "type-id", "id", "lower-case",
    ),
    "version of two numbers": (
        GLASS, 'version = "1.1"', 'version = "1.1.0"', "type-version", "version", "three numbers",
    ),
    "mandatory without verification": (
        FOREHEAD, 'legal_class = "mandatory_periodic"', 'legal_class = "voluntary"',
        "type-law", "legal_class", "needs the kind verification",
    ),
    "validity of a first verification": (
        GLASS, "validity_months = 12\nbatch = true", "batch = true",
        "type-law", "validity_months", "no validity",
    ),
    "newer format": (
        GLASS, "schema = 3", "schema = 2", "type-schema-version", "schema", "reads format 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_file_is_refused_with_its_place(tmp_path, case):
    id_, wrong, right, code, key, words = BROKEN[case]
    text = shipped(id_)
    assert right in text
    path, findings = check(tmp_path, text.replace(right, wrong, 1))
    found = {(f.code, f.facts["key"]): f for f in findings}
    assert (code, key) in found
    message = found[code, key].text()
    assert message.startswith(f"{path}, line ")
    assert f", {key}: " in message
    assert words in message
    assert "{" not in message.replace("{ s = ", "")


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("unknown key", "batch_size"),
        ("unknown key in a component", "half_widht"),
        ("float instead of text", "half_width = 0.03"),
        ("integer instead of text", 'default = ["0", 25'),
        ("text instead of a count", 'readings = "10"'),
        ("missing language", 'name = { en = "Resolution" }'),
        ("unknown document", 'document = "JJG 111-2003"'),
        ("unknown unit", 'unit = "°C"'),
        ("unknown unit of an input", 'unit = "furlong"'),
        ("unknown name in the function", "d_wind"),
        ("duplicate point", '"37", "37"'),
        ("unknown variant", "peristaltic"),
        ("decimal comma", "0,03"),
        ("point out of range", '"43"'),
        ("newer format", "schema = 3"),
    ],
)  # fmt: skip
def test_line_is_the_line_of_the_mistake(tmp_path, case, line):
    id_, wrong, right, code, key, _ = BROKEN[case]
    text = shipped(id_).replace(right, wrong, 1)
    expected = next(n for n, row in enumerate(text.splitlines(), 1) if line in row)
    _, findings = check(tmp_path, text)
    assert expected in [
        f.facts["line"] for f in findings if (f.code, f.facts["key"]) == (code, key)
    ]


def test_line_of_an_overlap_is_the_second_limit(tmp_path):
    text = shipped(ELECTRONIC).replace('start = "37.0"', 'start = "36.9"')
    _, findings = check(tmp_path, text)
    headers = [n for n, row in enumerate(text.splitlines(), 1) if row == "[[measurands.limits]]"]
    assert [f.facts["line"] for f in findings] == [headers[2]]
