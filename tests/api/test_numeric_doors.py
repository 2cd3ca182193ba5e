# ruff: noqa: E501 -- payloads as they are
"""Numbers at every door: taken exactly as they are written, or refused; never changed in silence.

One table of texts for every door that takes a decimal, one of JSON tokens where text is expected,
one for whole numbers and one for days.
"""

from __future__ import annotations

import itertools
import json

import pytest

from tests.support import issuing
from tests.support.door import a_key, problem_of, seen
from tests.support.web import Browser

pytestmark = pytest.mark.slow
TAKEN = ("36.60", "0", "-0.50", "+1.5", "1e3", "2.50E-2", "007.10", "-0", "0.000", "1" * 40)
REFUSED = (
    "36,6", "1,234.5", "1.234,5", "1 000", "1'000", "1_000", "１２.５", "٣٦", "३", "½", "²",
    "36.6°C", "36.6 K", "5%", ".5", "5.", "NaN", "nan", "sNaN1", "Infinity", "-inf", "∞", "−5", "–5",
    "1e31", "1e999999999", "1e-99", "1" * 41, "0x10", "0b1", "1e", "1e1e1", "--1", "+-1", "1/2", "1+1",
    "=1+1", "1.2.3", "TRUE", "null", "1\u00a05", "\u200b5", "5\u202e", "١.٥", "1e１", "[1]",
    "Ⅳ", "五",
)  # fmt: skip
"""Whatever a door trims is trimmed already."""
TOKENS = ("36.6", "36", "0.1", "1e400", "-1e999", "NaN", "Infinity", "-Infinity", "true", "[]",
          '["1"]', "{}", "12345678901234567890123", '{"value": "1"}')  # fmt: skip
numbers = itertools.count(1)


def test_there_are_forty_cases_and_more():
    assert len(set(TAKEN + REFUSED)) + len(set(TOKENS)) >= 40


@pytest.fixture(scope="module")
def bench(door_for_all):
    """Return the door, clients of two people and a draft: whatever is refused leaves it alone."""
    door = door_for_all
    record = issuing.opened(door.bench).id
    return door, door.as_(door.bench.technician), door.as_(door.bench.signatory), record


def sent(client, method, path, body, value, **headers):
    """Send a body in which the text VALUE stands for a JSON token written as it is."""
    content = json.dumps(body).replace('"VALUE"', value)
    given = {"Content-Type": "application/json", **headers}
    return client.request(method, path, content=content.encode(), headers=given)


def reading(bench, token):
    _, client, _, record = bench
    place = next(numbers)
    entry = {"measurand": "temperature", "stage": "as_found", "point": "50", "input": "t_ref",
             "place": place, "revision": 0, "value": "VALUE"}  # fmt: skip
    path = f"/api/v1/calibrations/{record}/readings"
    answer = sent(client, "POST", path, {"entries": [entry]}, token)
    return answer, lambda: answer.json()[0]["value"]


def condition(bench, token):
    _, client, _, record = bench
    path = f"/api/v1/calibrations/{record}"
    now = [c for c in client.get(path).json()["conditions"] if c["quantity"] == "pressure"]
    entry = {"quantity": "pressure", "unit": "kPa", "reason": "corrected", "value": "VALUE",
             "revision": now[-1]["revision"] if now else 0}  # fmt: skip
    answer = sent(client, "POST", f"{path}/conditions", entry, token)
    return answer, lambda: answer.json()["value"]


def predicted(bench, token):
    _, client, _, record = bench
    path = f"/api/v1/calibrations/{record}"
    answer = sent(client, "PUT", f"{path}/plan", {"predict": {"temperature": ["VALUE"]}}, token,
                  **seen(client.get(path)))  # fmt: skip
    return answer, lambda: answer.json()["plan"]["predict"]["temperature"][0]


def of_a_standard(field):
    def door(bench, token):
        made, _, client, _ = bench
        line = {"indication": "20", "reference": "20.01", "expanded_uncertainty": "0.01"}
        number = f"N-{next(numbers)}"
        body = {"number": number, "issuer": "NIM", "calibrated_on": "2025-01-01",
                "values": [line | {field: "VALUE"}]}  # fmt: skip
        path = f"/api/v1/standards/{made.bench.standard.id}/certificates"
        answer = sent(client, "POST", path, body, token)

        def kept():
            (entered,) = [c for c in answer.json()["certificates"] if c["number"] == number]
            (value,) = entered["values"]
            return value[field]

        return answer, kept

    return door


def limit(field):
    def door(bench, token):
        made, _, client, _ = bench
        path = f"/api/v1/models/{made.bench.model_id}"
        row = {"document": "maker", "confidence": "BG", "upper": "1" * 40, field: "VALUE"}
        body = {"maker_limits": {"temperature": [row]}}
        answer = sent(client, "PATCH", path, body, token, **seen(client.get(path)))
        return answer, lambda: answer.json()["maker_limits"]["temperature"][0][field]

    return door


def scope(bench, token):
    _, _, client, _ = bench
    document = f"CNAS {next(numbers)}"
    body = {"type_id": issuing.PROBE, "measurand": "temperature", "document": document,
            "low": "VALUE", "high": "1" * 40, "expanded_uncertainty": "0.02",
            "starts_on": "2026-01-01"}  # fmt: skip
    answer = sent(client, "POST", "/api/v1/scope", body, token)

    def kept():
        rows = client.get("/api/v1/scope").json()
        return next(r["entry"]["low"] for r in rows if r["entry"]["document"] == document)

    return answer, kept


JSON_DOORS = {
    "reading": reading,
    "condition": condition,
    "prediction": predicted,
    "reference of a standard": of_a_standard("reference"),
    "indication of a standard": of_a_standard("indication"),
    **{
        f"limit of a model, {field}": limit(field)
        for field in ("upper", "plus_fraction", "plus_from", "plus_rating_fraction", "start")
    },
    "low end of the scope": scope,
}


@pytest.mark.parametrize("name", JSON_DOORS)
def test_a_decimal_in_json_is_kept_to_the_last_zero_or_refused(bench, name):
    ask = JSON_DOORS[name]
    for text in TAKEN:
        answer, kept = ask(bench, json.dumps(text))
        assert answer.status_code in (200, 201), (name, text, answer.text)
        assert kept() == text, (name, text)
    for token in (*map(json.dumps, REFUSED), '""', '" 5"', '"5\\n"', '"\\u0000"', *TOKENS):
        answer, _ = ask(bench, token)
        assert answer.status_code == 422, (name, token, answer.text)


def test_uncertainty_factor_and_degrees_of_freedom_are_exact_or_refused(bench):
    for field in ("expanded_uncertainty", "coverage_factor", "dof"):
        ask = of_a_standard(field)
        for text in ("2.00", "1e3", "007.10"):
            answer, kept = ask(bench, json.dumps(text))
            try:
                assert kept() == text, (field, text)
            except KeyError:  # the view calls them U and k
                short = {"expanded_uncertainty": "U", "coverage_factor": "k"}[field]
                lines = [c["values"] for c in answer.json()["certificates"]]
                assert text in [line[short] for line in itertools.chain(*lines)]
        for token in ('"0"', '"-1"', *map(json.dumps, REFUSED), *TOKENS):
            assert ask(bench, token)[0].status_code == 422, (field, token)


def values(client, record, input_):
    slots = client.get(f"/api/v1/calibrations/{record}").json()["slots"]
    return [s["current"]["value"] for s in slots if s["current"]["input"] == input_]


def test_a_decimal_in_a_table_or_a_form_is_kept_to_the_last_zero_or_refused(bench):
    door, client, _, _ = bench
    record = issuing.opened(door.bench).id
    page = Browser(door.app, door.token(door.bench.technician))
    import_path = f"/api/v1/calibrations/{record}/readings/import?dry_run=false"
    kept = []
    for text in TAKEN + REFUSED:
        place = next(numbers)
        table = f'point,input,place,value\n50,t_ref,{place},"{text}"\n'.encode()
        answer = client.post(import_path, files={"file": ("a.csv", table)}, headers=a_key())
        cell = {f"v/temperature/as_found/0/50/t_ind/{place}/0": text}
        shown = page.post(f"/calibrations/{record}/readings", **cell)
        if text in TAKEN:
            kept.append(text)
            assert answer.json()["created"] == 1, (text, answer.text)
            assert shown.status == 303, (text, shown.status)
        else:
            assert answer.status_code == 422 or answer.json()["created"] == 0, (text, answer.text)
            assert shown.status == 422, (text, shown.status)
    for input_ in ("t_ref", "t_ind"):
        assert sorted(values(client, record, input_)) == sorted(kept)


WHOLE_REFUSED = ("12.0", "1.2e1", '"12"', "true", "-1", "0", "1e2", "9" * 18, "[]", "NaN", '"１２"')


def test_a_whole_number_in_json_a_table_or_a_form_is_exact_or_refused(bench):
    door, _, client, record = bench
    with door.bench.as_(issuing.everybody(door.bench)) as ctx:
        item = issuing.builders.an_instrument(
            ctx, door.bench.catalogue, model_id=door.bench.model_id,
            customer_id=door.bench.customer_id,
        )  # fmt: skip
    path = f"/api/v1/instruments/{item.id}"
    body = {"interval_months": "VALUE"}
    answer = sent(client, "PATCH", path, body, "7", **seen(client.get(path)))
    assert answer.json()["interval_months"] == 7
    for token in WHOLE_REFUSED:
        answer = sent(client, "PATCH", path, body, token, **seen(client.get(path)))
        assert answer.status_code == 422, (token, answer.text)
    page = Browser(door.app, door.token(door.bench.signatory))
    form = page.get(f"/instruments/{item.id}/edit")
    for text in ("１２", "١٢", "²", "12.0", "1e2", "0x1", "+12", "-1", "1_2", "=12", "999999999"):
        assert page.send(form, interval_months=text).status == 422, text
        model = client.get(f"/api/v1/models/{door.bench.model_id}").json()
        table = (
            "serial,maker,model,customer,interval_months\n"
            f"S{next(numbers)},{model['maker']},{model['model']},{item.customer.en},{text}\n"
        )
        answer = client.post(
            "/api/v1/instruments/import", files={"file": ("a.csv", table.encode())}
        )
        assert "/interval_months" in answer.text, (text, answer.text)
    assert client.get(path).json()["interval_months"] == 7
    for field in ("place", "revision", "piece"):
        for token in WHOLE_REFUSED:
            entry = {"measurand": "temperature", "stage": "as_found", "point": "50",
                     "input": "t_ref", "place": 0, "revision": 0, "value": "1"}  # fmt: skip
            entries = {"entries": [entry | {field: "VALUE"}]}
            if token == "0":
                continue
            answer = sent(client, "POST", f"/api/v1/calibrations/{record}/readings", entries, token)
            assert answer.status_code in (409, 422), (field, token, answer.text)


def test_a_day_is_the_one_written_or_refused(bench):
    door, _, client, _ = bench
    odd = ("20260331", "2026-W14-2", "2026-3-31", "31.03.2026", "2026-02-30", "２０２６-０３-３１",
           "1704067200", "2026-03-31T00:00:00", " 2026-03-31x", "2026-03-31\0")  # fmt: skip
    page = Browser(door.app, door.token(door.bench.signatory))
    path = f"/standards/{door.bench.standard.id}/certificates/new"
    form = page.get(path)
    for text in odd:
        shown = page.send(form, number="D-1", issuer="NIM", calibrated_on=text)
        assert shown.status == 422, text
        assert shown.problem("calibrated_on"), text
        body = {"number": "D-1", "issuer": "NIM", "calibrated_on": text, "values": []}
        answer = client.post(f"/api/v1{path.removesuffix('/new')}", json=body)
        assert "calibrated_on" in answer.text, (text, answer.text)
        for query in (f"/api/v1{path.removesuffix('/new')}/dcc", "/api/v1/instruments"):
            method = "POST" if "dcc" in query else "GET"
            name = "valid_until" if "dcc" in query else "due_before"
            answer = client.request(method, query, params={name: text}, headers=a_key())
            assert answer.status_code == 422, (query, text, answer.text)
            assert name in answer.text, (query, text, answer.text)


def test_a_key_that_stands_twice_is_refused_at_every_depth(bench):
    door, client, signatory, record = bench
    bodies = (
        (client, f"/api/v1/calibrations/{record}/conditions",
         '{"quantity":"pressure","value":"1","value":"2","unit":"kPa","revision":0}'),
        (client, f"/api/v1/calibrations/{record}/readings",
         ('{"entries":[{"measurand":"temperature","stage":"as_found","point":"50","input":"t_ref",'
         '"place":900,"value":"1","value":"1","revision":0}]}')),
        (signatory, f"/api/v1/standards/{door.bench.standard.id}/certificates",
         ('{"number":"T","issuer":"N","calibrated_on":"2025-01-01","values":[{"indication":"1",'
         '"reference":"1","reference":"1","expanded_uncertainty":"1"}]}')),
    )  # fmt: skip
    for who, path, body in bodies:
        answer = who.post(path, content=body, headers={"Content-Type": "application/json"})
        problem_of(answer, 422, "json-duplicate-key")
