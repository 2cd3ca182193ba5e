"""A record's whole way through the JSON doors: table in, certificate out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pypdfium2

from tests.support import issuing
from tests.support.door import Door, a_key, seen

SEEN = "looked at; the result stands"


def as_table(rows: Sequence[tuple[str, str, str]], times: int = 4) -> bytes:
    """Return rows of (point, reference, indication) as a logger writes them, each repeated."""
    lines = [",".join(row) for row in rows for _ in range(times)]
    return "\n".join(["point,reference,indication", *lines, ""]).encode()


def brought_in(door: Door, record: int, table: bytes) -> None:
    """Import readings into a record and note date and room temperature."""
    client = door.as_(door.bench.technician)
    path = f"/api/v1/calibrations/{record}"
    done = client.post(
        f"{path}/readings/import?dry_run=false",
        files={"file": ("log.csv", table)},
        headers=a_key(),
    )
    assert done.status_code == 200, done.text
    assert done.json()["findings"] == []
    condition = {"quantity": "temperature", "value": "21.3", "unit": "degC", "revision": 0}
    assert client.post(f"{path}/conditions", json=condition).status_code == 200
    facts = {"performed_on": "2026-03-02"}
    answer = client.patch(f"{path}/facts", json=facts, headers=seen(client.get(path)))
    assert answer.status_code == 200, answer.text


def evaluated(door: Door, record: int) -> dict[str, Any]:
    """Return what the record gives now, every warning accepted with a reason."""
    client = door.as_(door.bench.technician)
    path = f"/api/v1/calibrations/{record}"
    draft = client.get(f"{path}/evaluation").json()
    for found in draft["findings"]:
        if found["severity"] == "warning":
            sent = {"warning": f"{found['code']}@{found['at']}", "reason": SEEN}
            headers = seen(client.get(path))
            assert client.post(f"{path}/warnings", json=sent, headers=headers).status_code == 200
    answer: dict[str, Any] = client.get(f"{path}/evaluation").json()
    assert answer["result"] is not None, answer["findings"]
    return answer


def certified(door: Door, record: int) -> dict[str, Any]:
    """Return the certificate of a measured record, after all that it needs."""
    bench = door.bench
    path = f"/api/v1/calibrations/{record}"
    for person, act in (
        (bench.technician, "submit"),
        (bench.reviewer, "review"),
        (bench.signatory, "authorise"),
    ):
        client = door.as_(person)
        done = client.post(f"{path}/{act}", json={}, headers=seen(client.get(path)))
        assert done.status_code == 200, done.text
    client = door.as_(bench.signatory)
    issued = client.post(f"{path}/certificate", headers=seen(client.get(path)) | a_key())
    assert issued.status_code == 201, issued.text
    certificate: dict[str, Any] = issued.json()
    return certificate


def pdf_of(door: Door, certificate: dict[str, Any]) -> bytes:
    """Return the PDF of a certificate as it is handed out."""
    path = f"/api/v1/certificates/{certificate['certificate_id']}/files/pdf"
    answer = door.as_(door.bench.technician).get(path)
    assert answer.headers["Content-Type"] == "application/pdf"
    return answer.content


def text_of(pdf: bytes) -> str:
    """Return the text of a PDF as a reader copies it, one space between words."""
    document = pypdfium2.PdfDocument(pdf)
    texts = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return " ".join(" ".join(texts).split())


def whole_way(
    door: Door, rows: Sequence[tuple[str, str, str]], times: int = 4, **asked: Any
) -> str:
    """Return the text of the certificate that comes of rows of (point, reference, indication)."""
    line = {"predict": asked.pop("predict", {})}
    record = issuing.opened(door.bench, points=[row[0] for row in rows], line=line, **asked).id
    brought_in(door, record, as_table(rows, times))
    evaluated(door, record)
    return text_of(pdf_of(door, certified(door, record)))
