# ruff: noqa: E501, Q003 -- payloads as they are
"""Texts and files of strangers at every door: nothing of them runs, here or in a browser.

One lab, its people at every door; then every page there is, with every text in it.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import struct
import sys

import pytest
from lxml import html

from api.declared import declared
from calib.evaluation.tasks.dispatch import compute
from tests.support import issuing
from tests.support.door import a_key, seen
from tests.support.hostile_texts import TEMPLATES, XSS, running
from tests.support.web import Browser

pytestmark = pytest.mark.slow
CANARY = "canary_31337"
CODE = (
    f"__import__('os').system('touch {CANARY}')",
    f"open('{CANARY}','w')",
    f"().__class__.__bases__[0].__subclasses__(){CANARY!r}",
    f"exec('import {CANARY}')",
    f"=cmd|'/C touch {CANARY}'!A0",
    f"${{touch {CANARY}}}",
    f"$(touch {CANARY})",
    f"{{{{ cycler.__init__.__globals__.os.popen('touch {CANARY}') }}}}",
    f"#eval(\"{CANARY}\")",
    f"!!python/object/apply:os.system ['touch {CANARY}']",
    f"cos\nsystem\n(S'touch {CANARY}'\ntR.",
    f"lambda: {CANARY}",
)  # fmt: skip
watched: list[list[str]] = []


def _hear(event: str, of: tuple[object, ...]) -> None:
    # a text is compiled into a tree by the parser of formulas; a tree is not run
    if watched and event in ("exec", "os.system", "subprocess.Popen", "import", "open"):
        told = repr((of[0].co_consts, of[0].co_names) if event == "exec" else of)  # type: ignore[attr-defined]
        if CANARY in told or event == "os.system":
            watched[-1].append(f"{event} {told[:200]}")


sys.addaudithook(_hear)


@contextlib.contextmanager
def nothing_runs(folder):
    """Fail when the interpreter compiles, imports, opens or starts anything of a canary."""
    watched.append([])
    try:
        yield
    finally:
        heard = watched.pop()
    assert not heard, heard
    assert not list(folder.rglob(CANARY))


@pytest.fixture(scope="module")
def door(door_for_all):
    return door_for_all


def schema_of(document, node):
    while "$ref" in node:
        node = document["components"]["schemas"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def filled(document, node, text, depth=0):
    """Return a body of a schema in which every text is this one."""
    node = schema_of(document, node)
    if "anyOf" in node:
        return filled(document, node["anyOf"][0], text, depth)
    kind = node.get("type")
    if kind == "object":
        named = {
            name: filled(document, part, text, depth + 1)
            for name, part in node.get("properties", {}).items()
        }
        extra = node.get("additionalProperties")
        if isinstance(extra, dict) and depth < 4:
            named |= {
                key: filled(document, extra, text, depth + 1) for key in ("temperature", text)
            }
        return named
    if kind == "array":
        return [filled(document, node.get("items", {}), text, depth + 1)] if depth < 6 else []
    return {"integer": 1, "boolean": False, "number": 1}.get(kind, text)


def bodies(app):
    """Yield method, path and schema of every JSON body that is taken."""
    document = app.openapi()
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            content = told.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                yield document, method, re.sub(r"{[^}]*}", "1", path), content["schema"]


def test_code_in_every_text_of_every_json_body_is_never_run(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    issuing.opened(door.bench)
    clients = [door.as_(who) for who in (door.bench.technician, door.bench.signatory)]
    asked = 0
    with nothing_runs(tmp_path):
        for number, (document, method, path, schema) in enumerate(bodies(door.app)):
            for client, text in itertools.product(clients, CODE[number % 3 :: 3]):
                headers = {"If-Match": '"1"', **a_key()}
                body = filled(document, schema, text)
                answer = client.request(method, path, json=body, headers=headers)
                assert answer.status_code < 500, (method, path, text, answer.text)
                asked += 1
    assert asked > 200


def test_code_in_formulas_tables_types_fits_and_queries_is_never_run(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = door.as_(door.bench.technician)
    made = writer.post("/api/v1/methods", json={"type_id": issuing.PROBE})
    text = writer.get(f"/api/v1/methods/{made.json()['id']}/text").text
    record = issuing.opened(door.bench).id
    page = Browser(door.app, door.token(door.bench.signatory))
    with nothing_runs(tmp_path):
        for code in CODE:
            quoted = code.replace("\\", "").replace('"', "'").replace("\n", " ")
            hostile = re.sub(r'(function|default|en|zh) = "[^"]*"', rf'\1 = "{quoted}"', text)
            path = f"/api/v1/methods/{made.json()['id']}"
            answer = writer.put(
                f"{path}/text", json={"text": hostile}, headers=seen(writer.get(path))
            )
            assert answer.status_code < 500, answer.text
            files = {"file": ("m.toml", hostile.encode())}
            assert (
                writer.post("/api/v1/methods/import", files=files, headers=a_key()).status_code
                < 500
            )
            table = f'serial,maker,model,customer\n"{quoted}","{quoted}",x,y\n'.encode()
            for at in ("instruments/import", "standards/import",
                       f"calibrations/{record}/readings/import"):  # fmt: skip
                answer = writer.post(f"/api/v1/{at}", files={"file": (code, table)})
                assert answer.status_code < 500, (at, answer.text)
            for at in ("/instruments", "/authenticate", "/today", "/certificates", "/audit",
                       "/documents", "/methods", "/customers"):  # fmt: skip
                for name in ("text", "code", "done", "q", "state", "sort"):
                    assert page.client.get(at, params={name: code}).status_code < 500


def test_code_in_a_fit_a_budget_and_an_interval_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = [1, 2, 3, 4, 5, 6]
    inputs = {"a": {"value": 1, "u": 0.1}}
    with nothing_runs(tmp_path):
        for code in CODE:
            for task in (
                {"kind": "propagate", "function": code, "inputs": inputs},
                {"kind": "propagate", "function": "a", "inputs": {code: inputs["a"]}},
                {"kind": "fit", "model": "expression", "function": code, "x": x, "y": x,
                 "parameters": {"b1": 1}},
                {"kind": "fit", "model": code, "x": x, "y": x},
                {"kind": "fit", "model": "line", "x": [code] * 6, "y": x},
                {"kind": code},
            ):  # fmt: skip
                answer = compute(task)
                assert answer["error"]["code"] != "internal-error", (task, answer)


def test_scripts_in_every_text_that_is_kept_run_on_no_page(door):
    """The texts go through the JSON doors; then every page, JSON aside, is parsed."""
    client = door.as_(door.bench.signatory)
    worker = door.as_(door.bench.technician)
    payloads = itertools.cycle([*XSS, *TEMPLATES])
    short = itertools.cycle([text for text in XSS if len(text) < 75])
    kept = []

    def keep(answer, *texts):
        if answer.status_code in (200, 201):
            kept.extend(texts)
        assert answer.status_code < 500, answer.text
        return answer

    owner, model = door.bench.customer_id, door.bench.model_id
    record = f"/api/v1/calibrations/{issuing.opened(door.bench).id}"
    for _ in range(40):
        a, b, c, d = (next(payloads) for _ in range(4))
        s = next(short)
        keep(client.post("/api/v1/sites", json={"customer_id": owner, "name_en": a, "name_zh": b,
                                                "district": c, "address": d}), a, b, c, d)  # fmt: skip
        keep(client.post("/api/v1/models", json={
            "type_id": issuing.PROBE, "maker": s, "model": s + "2", "calibration_mode": a,
            "calibration_mode_source": b, "resolution": {"temperature": "0.01"}}), s, a, b)  # fmt: skip
        made = keep(client.post("/api/v1/instruments", json={
            "model_id": model, "customer_id": owner, "serial": s, "location": a,
            "asset_number": s, "probe_serial": s}), s, a)  # fmt: skip
        if made.status_code == 201:
            at = f"/api/v1/instruments/{made.json()['id']}"
            keep(client.post(f"{at}/status", json={"status": "out_of_service", "reason": b}), b)
        keep(client.post("/api/v1/standards", json={
            "code": s[:20], "name_en": a, "name_zh": b, "maker": s, "model": s, "serial": s,
            "quantity": "temperature", "unit": "degC"}), a, b, s)  # fmt: skip
        keep(client.post("/api/v1/scope", json={
            "type_id": issuing.PROBE, "measurand": "temperature", "document": c, "low": "0",
            "high": "1", "expanded_uncertainty": "1", "starts_on": "2026-01-01"}), c)  # fmt: skip
        facts = worker.patch(f"{record}/facts", json={"remark": d, "adjustment": a},
                             headers=seen(worker.get(record)))  # fmt: skip
        keep(facts, d, a)
    assert len(set(kept) & set(XSS)) >= 40
    assert shown_safely(door, kept) >= 40


def shown_safely(door, kept):
    """Return on how many pages a kept text stands, after every page was parsed."""
    browser = Browser(door.app, door.token(door.bench.signatory))
    bearing = 0
    for method, path, _ in declared(door.app):
        if method != "GET" or path.startswith(("/api/", "/static")):
            continue
        values = range(1, 42) if path in ("/instruments/{instrument_id}", "/models/{model_id}",
                                          "/standards/{standard_id}") else (1, 2)  # fmt: skip
        for value in values if "{" in path else (1,):
            answer = browser.client.get(re.sub(r"{[^}]*}", str(value), path), follow_redirects=True)
            assert answer.status_code < 500, path
            if "text/html" not in answer.headers.get("content-type", "") or not answer.text:
                continue
            document = html.fromstring(answer.text)
            found = list(running(document))
            assert not found, (path, found)
            words = " ".join(document.text_content().split())
            bearing += any(" ".join(text.split()) in words for text in kept)
    return bearing


SVG = "<svg xmlns='http://www.w3.org/2000/svg'>{}</svg>"
PAGE = b"<!doctype html><script>alert(31337)</script>"
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 50_000, 50_000, 8, 6, 0, 0, 0)
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(31337))>>>>endobj\n"
UPLOADS = [
    *(SVG.format(part).encode() for part in (
        "<script>alert(31337)</script>", "<a href='javascript:alert(31337)'>x</a>",
        "<image href='file:///etc/passwd'/>", "<foreignObject><iframe src='//x'/></foreignObject>",
        "<use href='http://127.0.0.1/x#a'/>", "<style>@import 'http://127.0.0.1'</style>",
        "<set attributeName='onload' to='alert(31337)'/>", "<g onload='alert(31337)'/>")),
    *(head + PAGE for head in (b"", b"GIF89a", b"\xff\xd8\xff\xe0", PNG, b"%PDF-1.7\n", b"PK\x03\x04",
                               b"BM", b"\x00\x00\x01\x00", b"RIFF0000WEBP", b"\xef\xbb\xbf",
                               b"\xfe\xff", b"\xff\xfe", b"<?xml version='1.0'?>", b"II*\0")),
    PNG, PNG + bytes(1000), PDF, PDF + PAGE, PDF + b"<</Launch/F(cmd.exe)>>", PDF + b"%%EOF",
    b"<?xml version='1.0'?><?xml-stylesheet href='javascript:alert(31337)'?><x/>",
    b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
    b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(31337)</script></html>",
    b"#!/bin/sh\ntouch canary_31337\n", b"MZ" + bytes(100), b"\x7fELF" + bytes(100), b"\xca\xfe\xba\xbe",
    b"\x80\x04cos\nsystem\n.", b"<?php system('id');", b"\0" * 1000, b"", b"\x1f\x8b\x08" + bytes(50),
    b"Content-Type: text/html\r\n\r\n" + PAGE, b"data:text/html," + PAGE,
]  # fmt: skip
NAMES = ("x.svg", "x.html", "x.png", "x.pdf", "x.xlsx", "x.xml", "x.csv", "x.html\0.png")
TYPES = ("image/svg+xml", "text/html", "image/png", "application/pdf", "text/xml")


def upload_doors(door, record):
    standard = door.bench.standard.id
    for path in ("instruments/import", "standards/import", "methods/import",
                 f"calibrations/{record}/readings/import",
                 f"standards/{standard}/certificates/dcc"):  # fmt: skip
        yield f"/api/v1/{path}"
    yield from ("/authenticate", "/instruments/import", "/standards/import", "/methods/import",
                f"/calibrations/{record}/import", f"/standards/{standard}/certificates/dcc")  # fmt: skip


def test_files_that_would_run_are_refused_or_shown_as_text_at_every_door(
    door, tmp_path, monkeypatch
):
    assert len(UPLOADS) >= 40
    monkeypatch.chdir(tmp_path)
    record = issuing.opened(door.bench).id
    client = door.as_(door.bench.signatory)
    page = Browser(door.app, door.token(door.bench.signatory))
    root = door.wired.settings.folder
    kept = {path for path in root.rglob("*") if path.is_file()}
    with nothing_runs(tmp_path):
        for path in upload_doors(door, record):
            monkeypatch.setattr(door.app.state.turnstile, "_count", lambda *_of: None)
            apart = "dcc" in path or path == "/authenticate"  # a process for each file
            for number, content in enumerate(UPLOADS[::5] if apart else UPLOADS):
                name, kind = NAMES[number % len(NAMES)], TYPES[number % len(TYPES)]
                send = client if path.startswith("/api/") else page.client
                answer = send.post(path, files={"file": (name, content, kind)}, headers=a_key())
                assert answer.status_code < 500, (path, number, answer.text[:300])
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert "script-src 'self'" in answer.headers["content-security-policy"]
                if "text/html" in answer.headers.get("content-type", ""):
                    assert not list(running(html.fromstring(answer.text))), (path, number)
                else:
                    assert "json" in answer.headers["content-type"]
    made = {path.name for path in root.rglob("*") if path.is_file()} - {p.name for p in kept}
    assert not [name for name in made if "." in name and not name.startswith("calib.db")], made
