"""The audit pack at the doors: for whom it is, and that its taking is told."""

from __future__ import annotations

import io
import zipfile

from sqlalchemy import select

from instruments.records.audit import AuditEvent
from instruments.tenancy import installation_session
from tests.support import issuing


def test_the_pack_comes_through_json_and_page_and_each_taking_is_told(door):
    bench = door.bench
    made = issuing.issued(bench, door.store, issuing.authorised(bench))
    client = door.as_(bench.signatory)
    path = f"certificates/{made.certificate_id}/audit-pack"
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    again = client.get(f"/{path}")
    assert (again.status_code, again.content) == (200, answer.content)
    refused = door.as_(bench.technician).get(f"/api/v1/{path}")
    assert refused.status_code == 403
    with installation_session(bench.engine, read_only=True) as session:
        acts = session.scalars(
            select(AuditEvent.object_id).where(AuditEvent.act == "access:pack:export")
        ).all()
    assert acts == [made.certificate_id, made.certificate_id]
