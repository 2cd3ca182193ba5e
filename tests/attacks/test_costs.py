"""Files that cost more than they may: the process that reads them is ended, no other suffers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from calib.verifier import apart, inside
from calib.verifier.apart import examine_apart, read_dcc_apart
from calib.verifier.evidence import Evidence
from calib.verifier.examine import examine
from calib.verifier.handing import read_report, report_plain
from instruments.errors import DomainError, Refused
from tests.support import bombs, forge, inputs
from tests.support.bombs import FLATE, MEGA
from tests.support.forge import NOW, TRUST

FILE = bombs.attached(b"{}", b"")
XML = b"<a/>"
ALLOWED = 64
"""Megabytes that the server may grow by beside the file itself."""

STRANGE = {
    "ends at once": "import sys; sys.exit(1)",
    "says nothing": "import sys; sys.stdin.read()",
    "says what is no answer": "print('x'); print('[')",
    "says half an answer": "print('{\"verdict\": \"valid\"', end='')",
    "says another verdict": 'print(\'{"verdict": "genuine", "says": {}, "steps": []}\')',
    "says a step of its own": (
        'print(\'{"verdict": "valid", "says": {}, "steps": [{"id": "x"}]}\')'
    ),
    "nests its answer": "print('[' * 100000)",
    "says too much": "import sys\nwhile True: sys.stdout.write('x' * 65536)",
    "says too much in lines": "import sys\nwhile True: sys.stdout.write('{}\\n' * 9999)",
    "is killed": "import os; os.kill(os.getpid(), 9)",
    "breaks": "import os; os.abort()",
    "closes its ears": "import os, sys; os.close(0); print('{}')",
}


def told_by(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Have files read by another program."""
    monkeypatch.setattr(apart, "_COMMAND", (sys.executable, "-I", "-c", source))


@pytest.mark.parametrize("name", STRANGE)
def test_whatever_the_child_does_the_answer_is_that_nothing_is_known(monkeypatch, name):
    told_by(monkeypatch, STRANGE[name])
    report = examine_apart(FILE, Evidence(NOW, TRUST))
    assert report.verdict == "cannot_tell"
    assert [(one.id, one.state) for one in report.steps] == [("file", "not_established")]
    with pytest.raises(Refused) as stop:
        read_dcc_apart(XML)
    assert stop.value.code == "file-too-costly"


def test_a_child_that_does_not_end_is_ended(monkeypatch):
    """With whatever it has started in turn."""
    monkeypatch.setattr(apart, "PATIENCE", 1)
    told_by(monkeypatch, "import os, time; os.fork(); os.close(0); time.sleep(600)")
    began = time.monotonic()
    assert examine_apart(FILE, Evidence(NOW, TRUST)).verdict == "cannot_tell"
    assert time.monotonic() - began < 30


def test_the_last_whole_answer_counts(monkeypatch):
    """What was said before the child was ended stands; what it was saying then does not."""
    report = examine(b"<a/>", Evidence(NOW, TRUST))
    line = json.dumps(report_plain(report))
    told_by(monkeypatch, f"import os; print({line!r}, flush=True); print('{{', flush=True)")
    assert examine_apart(FILE, Evidence(NOW, TRUST)).verdict == "cannot_tell"  # a whole line
    told_by(
        monkeypatch,
        f"import os; print({line!r}); print('{{', end='', flush=True); os.kill(os.getpid(), 9)",
    )
    assert examine_apart(FILE, Evidence(NOW, TRUST)) == report


def test_nothing_secret_is_in_the_surroundings_of_the_child(monkeypatch):
    monkeypatch.setenv("CALIB_DATABASE", "postgresql://somebody:word@host/db")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    given = apart._environment()
    assert not {name for name in given if name.startswith(("CALIB", "PYTHON"))}
    assert given["OPENBLAS_NUM_THREADS"] == "1"


def test_the_child_has_limits_and_takes_no_more_than_it_is_allowed(monkeypatch):
    told_by(
        monkeypatch,
        "import json, resource, calib.verifier.inside as i; i._limit();"
        "names = ('AS', 'CPU', 'NOFILE', 'FSIZE', 'CORE');"
        "print(json.dumps([resource.getrlimit(getattr(resource, 'RLIMIT_' + n)) for n in names]))",
    )
    limits = (inside.MEMORY, inside.SECONDS, inside.FILES, inside.WRITTEN, 0)
    assert apart._answer("examine", {}, {}) == [[most, most] for most in limits]


@pytest.mark.parametrize(
    "act",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
        "import os; os.execv('/bin/true', ['true'])",
    ],
)
def test_nothing_is_reached_from_the_child(monkeypatch, act):
    tried = (
        "import sys, calib.verifier.inside as i\n"
        "def act(request, parts, tell):\n"
        "    try:\n"
        f"        {act}\n"
        "    except PermissionError:\n"
        "        tell({'refused': True})\n"
        "i.TASKS = {'examine': act}\n"
        "i.main()"
    )
    told_by(monkeypatch, tried)
    assert apart._answer("examine", {}, {}) == {"refused": True}


@pytest.mark.parametrize(
    "message", ["{a.__class__}", "{a[0]}", "{a!r}", "{a:9999999999}", "{}", "{0}", "{", "}", None]
)
def test_a_sentence_of_the_child_is_filled_with_facts_alone(world, message):
    """Otherwise it could cost this process what it was kept from costing."""
    plain = report_plain(examine(world.first.code.encode(), world.evidence()))
    assert read_report(plain).verdict == "valid"
    plain["steps"][0]["message"] = message
    with pytest.raises((ValueError, TypeError)):
        read_report(plain)


# --------------------------------------------------------------------------- with the real child


def test_a_genuine_certificate_is_reported_on_as_in_this_process(world):
    for content, evidence in (
        (world.first.pdf, world.evidence(world.first)),
        (world.foreign.pdf, world.evidence(world.first)),
        (world.withdrawn.dcc, Evidence(NOW)),
    ):
        assert examine_apart(content, evidence) == examine(content, evidence)


def test_what_a_changed_file_says_is_told_with_its_findings(world):
    other = forge.made(forge.a_certificate("RD2026-000777"), attach={"dcc.xml": world.second.dcc})
    evidence = world.evidence(world.first)
    here, there = examine(other.pdf, evidence), examine_apart(other.pdf, evidence)
    assert here.as_dict() == there.as_dict()
    assert any(one.findings for one in there.steps)


def test_a_dcc_is_read_as_in_this_process(world):
    from calib.certificates.dcc import read_dcc

    reading = read_dcc(world.first.dcc)
    assert read_dcc_apart(world.first.dcc) == reading
    assert reading.notes
    for wrong in (b"", b"<a/>", b"<!DOCTYPE x><x/>", world.first.dcc[:-40]):
        with pytest.raises(DomainError) as here:
            read_dcc(wrong)
        with pytest.raises(DomainError) as there:
            read_dcc_apart(wrong)
        assert (there.value.code, str(there.value)) == (here.value.code, str(here.value))
        assert type(there.value) is type(here.value)


def letters(size: int) -> bytes:
    """Return the drawing of so many bytes of letters, which stays within what may be unpacked."""
    word = b"BT /F 1 Tf 1 0 0 1 0 0 Tm (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj ET\n"
    return zlib.compress(word * (size // len(word)), 9)


PAGE = b"/Contents 4 0 R/Resources<</Font<</F 5 0 R>>/XObject<</I 6 0 R>>>>"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
IMAGE = (
    b"/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB"
)


def drawn(content: bytes) -> bytes:
    """Return a file that draws this with letters and an image."""
    return bombs.pdf({
        1: bombs.CATALOGUE % b"", **bombs.ONE_PAGE, 3: bombs.PAGE % PAGE,
        4: bombs.stream(content, FLATE), 5: FONT,
        6: bombs.stream(bombs.zeros(60 * MEGA), IMAGE + FLATE),
    })  # fmt: skip


DEAR = {
    "letters by the million": lambda: drawn(letters(60 * MEGA)),
    "image of billions": lambda: drawn(zlib.compress(b"60000 0 0 60000 0 0 cm /I Do " * 100_000)),
    "objects in objects": lambda: bombs.pdf({
        1: bombs.CATALOGUE % b"", **bombs.ONE_PAGE, 3: bombs.PAGE % b"",
        **{n: bombs.stream(
            zlib.compress(b"%d 0 " % (n + 1) + b"<<" * 9000),
            b"/Type/ObjStm/N 1/First 5/Extends %d 0 R/Filter/FlateDecode" % (n + 1))
           for n in range(4, 400)},
    }),
    "attachment of zeros": lambda: bombs.attached(bombs.zeros(60 * MEGA), FLATE),
    "document of a list in lists": lambda: bombs.attached(b"[" * 10**7, b""),
    "XML of many texts": lambda: b"<a>" + b"<b>x</b>" * 240_000 + b"</a>",
}  # fmt: skip
LESS = ("pages that hold themselves", "attachment that unpacks", "XML of entities", "XML in XML")


def child_peak(content: bytes, folder: Path) -> float:
    """Return the most megabytes that the child held; asked by a process that had no other."""
    file = folder / "sent"
    file.write_bytes(content)
    asking = (sys.executable, "-c", _ASKING, str(file))
    told = subprocess.run(asking, capture_output=True, check=True, text=True)
    return int(told.stdout) / 1024


_ASKING = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from calib.verifier.apart import examine_apart
from calib.verifier.evidence import Evidence
examine_apart(Path(sys.argv[1]).read_bytes(), Evidence(datetime(2026, 3, 2, tzinfo=UTC)))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def costs(act) -> tuple[float, float, object]:
    """Return by how many megabytes this process grew at most, how long it took, and the answer."""
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    clear.write_text("5")  # forget the highest use of memory so far
    before = _peak(status)
    began = time.monotonic()
    answer = act()
    return _peak(status) - before, time.monotonic() - began, answer


def _peak(status: Path) -> float:
    return int(status.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0]) / 1024


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DEAR, *LESS])
def test_a_file_that_costs_much_costs_the_server_little(name, tmp_path):
    content = (DEAR.get(name) or bombs.BOMBS[name])()
    grew, took, report = costs(lambda: examine_apart(content, Evidence(NOW, TRUST)))
    assert report.verdict in ("invalid", "cannot_tell")
    assert grew < ALLOWED + 3 * len(content) / MEGA
    assert took < apart.PATIENCE + 10
    assert child_peak(content, tmp_path) < inside.MEMORY / MEGA


@pytest.mark.slow
def test_a_batch_of_a_thousand_is_within_every_limit(world):
    """What is refused for its cost is larger than what a laboratory issues."""
    readings = [("37.02", "41.00")] * 1000
    record = inputs.glass(readings)
    one = forge.made(forge.a_certificate("RD2026-000900", record=record), record=record)
    report = examine_apart(one.pdf, recomputed(world, one))
    against = [step.text() for step in report.steps if step.state != "established"]
    assert (report.verdict, against) == ("valid", [])


# ----------------------------------------------------------- readings that are dear to compute


def with_readings(world, change) -> forge.Made:
    """Return the first certificate with other readings inside, sealed by its laboratory."""
    plain = json.loads(world.first.attachments["input.json"])
    change(plain["input"])
    return forge.made(world.first.document, attach={"input.json": json.dumps(plain).encode()})


def many_points(count: int):
    """Return what puts so many points into a record."""

    def change(given) -> None:
        points = given["points"]
        given["points"] = [
            {
                **points[n % 3],
                "key": f"{points[n % 3]['key']}#{n // 3 + 1}" if n > 2 else points[n]["key"],
            }
            for n in range(count)
        ]

    return change


def scope_by_points(given) -> None:
    """Fill a record so that its cost is the product of two long lists."""
    many_points(3000)(given)
    row = {"measurand": "temperature", "low": "-1000", "high": "1000", "U": "1"}
    given["cmc"] = [{**row, "U_fraction": "0", "document": ""}] * 20_000


def expression_in_expressions(given) -> None:
    """Give a function of brackets without end."""
    given["definition"]["measurands"][0]["function"] = "(" * 10**5 + "t_ind" + ")" * 10**5


def long_number(given) -> None:
    """Give a reading of millions of digits, and one of a size nobody can write."""
    for readings in given["points"][0]["readings"].values():
        readings[0]["value"] = "1" * 3_000_000 + "e999999999"


REFUSED = {"expression": expression_in_expressions, "number": long_number}


def recomputed(world, one: forge.Made):
    """Return the report on a certificate whose log knows it."""
    book, subject = replace(world.book, lines=list(world.book.lines)), forge.subject_of(one, "RD")
    return world.evidence(proof=book.proof(book.note(subject), subject).text().encode())


def test_too_many_readings_are_not_computed_again(world):
    """Nothing is wrong with the certificate, and nothing is said to be."""
    one = with_readings(world, many_points(25_000))
    report = examine(one.pdf, recomputed(world, one))
    states = {step.id: step.state for step in report.steps}
    assert states.pop("recomputation") == "not_established"
    assert "calib compute" in report.step("recomputation").text()
    assert "contradicted" not in states.values()


@pytest.mark.slow
def test_a_computation_that_does_not_end_leaves_the_other_steps_standing(world, monkeypatch):
    monkeypatch.setattr(
        apart, "_COMMAND",
        (sys.executable, "-c",
         "import calib.verifier.inside as i; i.SECONDS = 12; i.main()"),
    )  # fmt: skip
    one = with_readings(world, scope_by_points)
    evidence = recomputed(world, one)
    grew, took, report = costs(lambda: examine_apart(one.pdf, evidence))
    states = {step.id: step.state for step in report.steps}
    assert states.pop("recomputation") == "not_established"
    assert states["seal"] == states["log"] == states["rendering"] == "established"
    assert "contradicted" not in states.values()
    assert grew < ALLOWED + 3 * len(one.pdf) / MEGA
    assert took < apart.PATIENCE


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_can_compute_is_told_at_once(world, name):
    from calib.verifier.examine import _results

    plain = json.loads(world.first.attachments["input.json"])
    REFUSED[name](plain["input"])
    began = time.process_time()
    steps = list(_results(world.first.document, json.dumps(plain).encode()))
    assert steps[0].state == "contradicted"
    assert time.process_time() - began < 10


def test_a_computation_out_of_memory_is_told(world, monkeypatch):
    from calib.verifier import examine as examining

    def costly(_frozen):
        raise MemoryError

    monkeypatch.setattr(examining, "evaluate", costly)
    report = examine(world.first.pdf, world.evidence(world.first))
    assert report.step("recomputation").state == "not_established"
    assert report.verdict == "valid"


def test_the_signal_of_the_end_reaches_every_process_of_the_child(monkeypatch):
    sent = []
    monkeypatch.setattr(apart.os, "killpg", lambda *given: sent.append(given))

    class Child:
        pid = 7

        def poll(self):
            return None

    apart._end(Child())
    assert sent == [(7, signal.SIGKILL)]
