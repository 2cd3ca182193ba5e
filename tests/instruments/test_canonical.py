"""Canonical JSON against RFC 8785: its sample, its number table, its key order."""

from __future__ import annotations

import hashlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.canonical import canonical_json, digest

# RFC 8785, Appendix B: IEEE 754 bits and the ECMAScript form of the number
APPENDIX_B = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "text"), APPENDIX_B)
def test_number_of_appendix_b(bits: str, text: str):
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(value) == text.encode()


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_appendix_b_refuses_what_is_no_number(bits: str):
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    with pytest.raises(ValueError, match="no JSON form"):
        canonical_json(value)


def test_sample_of_section_3_2_2():
    source = (
        '{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
        r' "string": "\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/",'
        ' "literals": [null, true, false]}'
    )
    expected = (
        '{"literals":[null,true,false],'
        '"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        r'"string":"€$\u000f\nA' + "'" + r'B\"\\\\\"/"}'
    )
    assert canonical_json(json.loads(source)).decode() == expected


def test_keys_are_sorted_by_utf_16_code_units():
    # section 3.2.3: an emoji (surrogates D83D DE00) comes before U+FB33, though its code point is
    # higher
    keys = {
        "€": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\x80": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert list(json.loads(canonical_json(keys)).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_control_characters_are_escaped_as_the_rfc_asks():
    assert canonical_json("\b\t\n\f\r\x00\x1f\x7f\u2028") == (
        '"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\u2028"'.encode()
    )


def test_nothing_but_the_value_counts():
    assert canonical_json({"b": (1, 2), "a": {}}) == canonical_json({"a": {}, "b": [1, 2]})
    assert canonical_json({"b": (1, 2), "a": {}}) == b'{"a":{},"b":[1,2]}'
    assert canonical_json(True) == b"true"
    assert canonical_json(1) == b"1"


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        [1, {"deep": float("inf")}],
        2**53 + 1,
        -(2**53) - 1,
        {1: "a number for a key"},
        b"bytes",
        bytearray(b"bytes"),
        {"set": {1}},
        object(),
    ],
)
def test_what_json_does_not_know_is_refused(value: object):
    with pytest.raises(ValueError, match=r"JSON"):
        canonical_json(value)


def test_a_lone_surrogate_is_refused():
    with pytest.raises(ValueError, match="surrogate"):
        canonical_json("\ud800")


def test_the_largest_exact_integers_survive():
    assert canonical_json([2**53, -(2**53)]) == b"[9007199254740992,-9007199254740992]"


def test_digest_is_the_sha256_of_the_bytes():
    value = {"t": "20.10"}
    assert digest(value) == hashlib.sha256(b'{"t":"20.10"}').hexdigest()
    assert digest(value) != digest({"t": "20.1"})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_back_exactly(value: float):
    assert float(canonical_json(value)) == value


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(values)
def test_what_is_read_back_has_the_same_bytes(value: object):
    written = canonical_json(value)
    assert json.loads(written) == value
    assert canonical_json(json.loads(written)) == written
