"""Files of methods: a new type comes in, a revision goes out and back, hostile ones are refused."""

from __future__ import annotations

import dataclasses

import pytest

from calib.services import dry_run
from instruments.errors import DomainError, Finding
from instruments.services import methods
from instruments.services.method_views import export_text, lab_catalogue, list_methods
from tests.support import builders
from tests.support import methods as a
from tests.support.issuing import PROBE

POINTS = {"/measurands/0/points/default": ["0", "50", "100"]}
OWN = """
schema = 2
id = "{id}"
version = "{version}"
name = {{ en = "Fridge logger", zh = "冰箱记录仪" }}
kinds = ["calibration"]
legal_class = "voluntary"
standards_wanted = {{ en = "Thermometer", zh = "温度计" }}
environment = []

[[documents]]
id = "TH-12"
title = {{ en = "Procedure TH-12", zh = "作业指导书 TH-12" }}
role = "method"
confidence = "BG"

[[measurands]]
id = "temperature"
name = {{ en = "Error", zh = "误差" }}
quantity = "temperature"
unit = "degC"
output = "error"
output_unit = "degC"
function = "t_ind - t_ref"

[measurands.inputs.t_ref]
label = {{ en = "Standard", zh = "标准器" }}
source = "standard"
unit = "degC"

[measurands.inputs.t_ind]
label = {{ en = "Indication", zh = "示值" }}
source = "item"
unit = "degC"

[measurands.points]
default = ["2.0", "8.0"]
readings = 4
confidence = "BG"

[[measurands.components]]
id = "t_rep"
input = "t_ind"
name = {{ en = "Repeatability", zh = "重复性" }}
evaluate = "A"
distribution = "normal"
confidence = "BG"
"""


@pytest.fixture
def bench(bench_on_each):
    return bench_on_each


def own(id_: str = "thermometer.fridge_logger", version: str = "1.0.0") -> bytes:
    return OWN.format(id=id_, version=version).encode()


def problem_of(act) -> DomainError:
    with pytest.raises(DomainError) as caught:
        act()
    return caught.value


def test_a_new_type_is_imported_approved_and_measured(bench):
    with bench.as_(bench.technician) as ctx:
        made = methods.import_text(ctx, own(), "fridge.toml", bench.catalogue)
        assert made.line.based_on == ""
        sent = dry_run.submit(ctx, made.id, made.version, "a new kind", bench.catalogue)
    with bench.as_(bench.signatory) as ctx:
        done = methods.approve(ctx, sent.id, sent.version, "", bench.catalogue)
        assert done.definition.version == "1.0.0+lab.1"
        types = lab_catalogue(ctx, bench.catalogue)
        builders.a_model(
            ctx, types, type_id="thermometer.fridge_logger", resolution={"temperature": "0.1"}
        )
        stop = problem_of(
            lambda: methods.withdraw(ctx, done.id, done.version, "why", bench.catalogue)
        )
    assert stop.code == "method-in-use"


def test_an_exported_revision_comes_back_the_same(bench):
    made = a.approved(bench, changes=POINTS)
    with bench.as_(bench.technician) as ctx:
        name, text = export_text(ctx, made.id)
        assert name == "thermometer.digital_probe-1.toml"
        again = methods.import_text(ctx, text.encode(), name, bench.catalogue)
    assert again.line.based_on == "1.1.0"
    assert again.definition.version == "1.1.0+lab.2"
    assert dataclasses.replace(again.definition, version=made.definition.version) == made.definition


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "method-text-empty"),
        (b"\xff\xfe\x00", "method-file-unreadable"),
        (b"x" * 300_000, "method-text-too-long"),
        (b"x = " + b"[" * 100_000, "method-file-broken"),
        (b"x = " + b"9" * 100_000, "method-file-broken"),
        (b"a = 1\x00", "method-text-unreadable"),
        (b"schema = 2\nid = 3\n", "method-file-broken"),
        (own() + b'\nhalf_widht = "1"\n', "method-file-broken"),
        (own(version="1.0.0+lab.9"), "method-file-broken"),
        (own(id_="../../etc/passwd"), "method-file-broken"),
        (own(id_=PROBE), "method-id-taken"),
        (own().replace(b"schema = 2", b"schema = 9"), "method-file-broken"),
    ],
    ids=[
        "empty", "binary", "huge", "nested", "long-number", "nul", "no-type", "unknown-key",
        "forged-revision", "bad-id", "id-of-the-catalogue", "format",
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_with_a_reason(bench_on_sqlite, content, code):
    bench = bench_on_sqlite
    with bench.as_(bench.technician) as ctx:
        stop = problem_of(lambda: methods.import_text(ctx, content, "a.toml", bench.catalogue))
        assert stop.code == code
        assert list_methods(ctx) == ()
    if code == "method-file-broken":
        assert all(isinstance(found, Finding) for found in stop.findings)
        assert stop.findings
