"""What must hold after any crash: every number explained, every file there, the ledger whole."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from calib.adapters.files import DirectoryStore
from calib.certificates.document import CertificateDocument
from calib.records.calibrations import Calibration
from calib.records.certificates import (
    Certificate,
    CertificateEvent,
    CertificateFile,
    LedgerLeaf,
)
from calib.services import certificate_rows, ledger
from instruments.records.counters import NumberSeries
from instruments.services.audit import check_chain
from instruments.tenancy import installation_session
from tests.support.sealed import Sealed, faults


@dataclass(frozen=True)
class Found:
    """What stands in the database and the store."""

    states: Counter[str]
    faults: list[str]


def check_everything(engine: Engine, store: DirectoryStore, acks: Path) -> Found:
    """Return the state of every number and everything that is wrong."""
    with installation_session(engine, read_only=True) as session:
        certificates = session.scalars(select(Certificate).order_by(Certificate.id)).all()
        events: dict[int, dict[str, CertificateEvent]] = {c.id: {} for c in certificates}
        for event in session.scalars(select(CertificateEvent)):
            events[event.certificate_id][event.event] = event
        files: dict[int, dict[str, CertificateFile]] = {c.id: {} for c in certificates}
        for file in session.scalars(select(CertificateFile)):
            files[file.certificate_id][file.role] = file
        records = dict(session.execute(select(Calibration.id, Calibration.state)).all())
        lines = Counter(session.scalars(select(LedgerLeaf.certificate_id)))
        counters = sum(session.scalars(select(NumberSeries.last).where(
            NumberSeries.name == "calibration_certificate"
        )))  # fmt: skip
        wrong = [f.text() for f in ledger.check(session)]
        wrong += [f.text() for f in check_chain(session, certificates[0].lab_id)]
        states = {c.id: certificate_rows.state_of(events[c.id]) for c in certificates}
        wrong += _numbers([c.number for c in certificates], counters)
        for one in certificates:
            wrong += _one(one, states[one.id], files[one.id], records, lines, store)
        wrong += _acknowledged(acks, certificates, states, files)
        return Found(Counter(states.values()), wrong)


def check_lab(lab: Sealed) -> Found:
    """Return the same of an installation that seals and logs, and what fsck finds in it."""
    found = check_everything(lab.bench.engine, lab.store, lab.folder / "acks")
    return Found(found.states, [*found.faults, *(one.text() for one in faults(lab))])


def _numbers(numbers: list[str], last: int) -> list[str]:
    counted = sorted(int(number.rsplit("-", 1)[1]) for number in numbers)
    wrong = [] if counted == list(range(1, len(numbers) + 1)) else [f"gap or twice: {counted}"]
    return wrong + ([] if last == len(numbers) else [f"counter {last}, numbers {len(numbers)}"])


def _one(one, state, files, records, lines, store) -> list[str]:
    """Return what does not fit together about one number."""
    wrong = []
    if CertificateDocument.from_dict(json.loads(one.payload)).digest() != one.payload_digest:
        wrong.append(f"{one.number}: payload is not what was frozen")
    issued = state == "issued"
    if set(files) != ({"pdf", "dcc", "input", "result"} if issued else set()):
        wrong.append(f"{one.number}: {state} with files {sorted(files)}")
    wrong += [
        f"{one.number}: {file.role} is not as long as it was"
        for file in files.values()
        if len(store.get(file.sha256)) != file.size
    ]
    expected = {"issued": "issued", "reserved": "reserved"}.get(state)
    if expected is not None and records[one.calibration_id] != expected:
        wrong.append(f"{one.number}: {state}, its record {records[one.calibration_id]}")
    if lines[one.id] != (1 if state == "reserved" else 2):  # reserved, then what became of it
        wrong.append(f"{one.number}: {state} with {lines[one.id]} ledger lines")
    return wrong


def _acknowledged(acks: Path, certificates, states, files) -> list[str]:
    """Return what was told as issued and is not there as told."""
    by_number = {c.number: c for c in certificates}
    wrong = []
    for line in acks.read_text().splitlines() if acks.exists() else []:
        told = json.loads(line)
        one = by_number.get(told["number"])
        if one is None or states[one.id] != "issued":
            wrong.append(f"{told['number']} was acknowledged and is not issued")
        elif (one.calibration_id, files[one.id]["pdf"].sha256) != (told["record"], told["pdf"]):
            wrong.append(f"{told['number']} is not what was acknowledged")
    return wrong
