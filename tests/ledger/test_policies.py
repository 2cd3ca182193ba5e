"""Policies: the example of the specification, and lines that are wrong."""

import pytest

from calib.ledger.notes import COSIGNATURE
from calib.ledger.policies import read_policy
from instruments.errors import Invalid
from tests.ledger.keys import Key

LOG = Key("lab.example/log")
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
KEYS = {name: Key(f"witness.example/{name}", COSIGNATURE) for name in NAMES}
EXAMPLE = f"""
# two levels
log {LOG.note_key} https://lab.example/log

witness X1 {KEYS["X1"].note_key}
witness X2 {KEYS["X2"].note_key}
  witness\tX3 {KEYS["X3"].note_key}   https://x3.example/
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS["Y1"].note_key}
witness Y2 {KEYS["Y2"].note_key}
witness Y3 {KEYS["Y3"].note_key}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


@pytest.mark.parametrize(
    ("cosigned", "met"),
    [
        ("X1 X2 Y1", True),
        ("X2 X3 Y3", True),
        ("X1 X2 X3 Y1 Y2 Y3", True),
        ("X1 Y1 Y2 Y3", False),
        ("X1 X2 X3", False),
        ("", False),
    ],
)
def test_the_example_of_the_specification(cosigned, met):
    policy = read_policy(EXAMPLE)
    assert policy.is_met_by([KEYS[name].note_key for name in cosigned.split()]) is met


def test_what_a_policy_says():
    policy = read_policy(EXAMPLE)
    assert policy.logs == (LOG.note_key,)
    assert policy.urls == {
        "lab.example/log": "https://lab.example/log",
        "X3": "https://x3.example/",
    }
    assert policy.groups["X-witnesses"].needed == 2
    stranger = Key("witness.example/X1", COSIGNATURE, seed="another")
    assert not policy.is_met_by([stranger.note_key, KEYS["X2"].note_key, KEYS["Y1"].note_key])


def test_no_quorum_and_a_single_witness():
    assert read_policy("quorum none\n").is_met_by([])
    one = read_policy(f"witness w {KEYS['X1'].note_key}\nquorum w\n")
    assert one.is_met_by([KEYS["X1"].note_key])
    assert not one.is_met_by([])


W = f"witness a {KEYS['X1'].note_key}\nwitness b {KEYS['X2'].note_key}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("log\nquorum none\n", 1),
        (f"log {LOG.note_key} a b\nquorum none\n", 1),
        (f"log {LOG.note_key}\nlog {LOG.note_key}\nquorum none\n", 2),
        (f"log {KEYS['X1'].note_key}\nquorum none\n", 1),
        (f"witness w {LOG.note_key}\nquorum none\n", 1),
        (f"witness none {KEYS['X1'].note_key}\nquorum none\n", 1),
        ("witness w\nquorum none\n", 1),
        ("witness w nonsense\nquorum none\n", 1),
        (f"{W}witness c {KEYS['X1'].note_key}\nquorum none\n", 3),
        (f"{W}witness a {KEYS['X3'].note_key}\nquorum none\n", 3),
        (f"{W}group g all\nquorum none\n", 3),
        (f"{W}group g 0 a b\nquorum none\n", 3),
        (f"{W}group g 3 a b\nquorum none\n", 3),
        (f"{W}group g +1 a b\nquorum none\n", 3),
        (f"{W}group g some a b\nquorum none\n", 3),
        (f"{W}group g any a a\nquorum none\n", 3),
        (f"{W}group g any a\ngroup h any a\nquorum none\n", 4),
        (f"{W}group g any none\nquorum none\n", 3),
        (f"{W}group g any h\ngroup h any g\nquorum g\n", 3),
        (f"{W}group a any b\nquorum none\n", 3),
        ("quorum g\n", 1),
        ("quorum none none\n", 1),
        ("quorum none\nquorum none\n", 2),
        ("quorums none\n", 1),
        ("quorum none\r\n", 0),
        ("#\n" * 1001 + "quorum none\n", 0),
    ],
)
def test_what_is_no_policy(text, line):
    with pytest.raises(Invalid) as stop:
        read_policy(text)
    assert (stop.value.code, stop.value.facts["line"]) == ("policy-unreadable", line)
