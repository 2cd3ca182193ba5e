"""All that stands behind one certificate in one file, for an assessor who has nothing of ours.

Frozen document, input and result, files and proof, readings with every revision, reviews, the acts
of the audit trail, standards with their certificates, people and their roles, the scope. The same
state gives the same bytes: no clock, no compression, names in order.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

from sqlalchemy import inspect, or_, select

from calib.keeping.export import NAMES
from calib.ledger.trust import TrustBundle
from calib.records.calibrations import Calibration, Condition, Evaluation, Reading, ReviewMark
from calib.records.certificates import Certificate, CertificateEvent, CertificateFile
from calib.records.signatures import Signature
from calib.services.certificate_rows import certificate_of, events_of
from calib.services.log import Log, proof_of
from calib.services.ports import FileStore, LogStore
from calib.services.statuses import LIST
from calib.verifier.evidence import sha256
from instruments.canonical import canonical_json
from instruments.changes import is_secret, stored
from instruments.context import Context
from instruments.errors import Refused
from instruments.records.competence import Competence
from instruments.records.instruments import Instrument, InstrumentStatus
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer, Lab, Membership, Person
from instruments.records.scope import ScopeRow
from instruments.records.standards import (
    MeasurementStandard,
    StandardCertificate,
    StandardCertificateValue,
)
from instruments.services import trail

README = """\
Audit pack of certificate {number} of {lab}.

certificate/  what was issued: the PDF, the digital certificate (DCC), the frozen document, the
              frozen input from which every figure can be computed again, the result, what happened
              to the certificate, and the proof that exactly these bytes stand in the public log.
record/       the record of the work: definition of the method as used, readings and conditions
              with every revision, evaluations, reviews, electronic signatures.
order/        order, customer, instrument and model, as they stand now.
standards/    the standards used, with all their certificates.
people.json   who had a hand in it: the roles they hold or held and the work they are or were
              authorised for, with first and last day.
scope.json    the accreditation scope on the day of issue.
audit.json    the acts of the audit trail on all of these; each row names the digest of the row
              before it in the trail of the laboratory.
manifest.json SHA-256 and size of every file.

To check the certificate with Python alone, without network and without us:

    {command}

trust.json says whom you trust: compare its SHA-256 with the one the laboratory told you by another
way. To check that no file of this pack was changed, compare the SHA-256 of each with manifest.json.

{number} 号证书的审核资料包。
certificate/ 为已签发的文件、冻结文件、冻结输入、结果、证书事件，以及这些字节登记在日志中的证明。
record/ 为原始记录：所用方法定义、读数和环境条件（含全部修订）、评定、复核、批准与电子签名。
order/ 为委托单、委托单位、器具和型号的现状；standards/ 为所用标准器及其全部证书。
people.json 为参与人员及其角色、授权范围和任期；scope.json 为签发当日的认可范围。
audit.json 为上述各项在审计追踪中的记录；manifest.json 为每个文件的 SHA-256 和大小。
只需 Python，无需网络和本系统，即可用上面的命令核验。trust.json 表示您信任谁：
请将其 SHA-256 与实验室通过其他途径告知您的值比对。
"""
_COMMAND = (
    "python3 verify.py trust.json certificate/certificate.pdf certificate/certificate.tlog-proof "
    "--status status.txt"
)
_NO_PROOF = "(there is no proof: this installation keeps no log / 无证明：本系统未启用日志)"
_MOMENT = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class PackSource:
    """Where files, proofs and statuses are kept; an installation without keys has but the files."""

    store: FileStore
    log: Log | None
    statuses: LogStore
    trust: TrustBundle | None


@dataclass(frozen=True, slots=True)
class Pack:
    """The file, and the name to hand it out under."""

    name: str
    content: bytes


def make_pack(ctx: Context, source: PackSource, certificate_id: int) -> Pack:
    """Return everything behind an issued certificate.

    Raises
    ------
    NotFound
        There is no such certificate here.
    NotAllowed
        The actor may not export the trail.
    Refused
        It was never issued.
    """
    ctx.need("audit.export")
    certificate = certificate_of(ctx.session, certificate_id)
    if "issued" not in events_of(ctx.session, certificate.id):
        raise Refused(
            "pack-not-issued",
            "Certificate {number} was never issued: there is nothing to pack. Look at its record.",
            facts={"number": certificate.number},
        )
    files = dict(_files(ctx, source, certificate))
    lab = ctx.session.scalars(select(Lab).where(Lab.id == ctx.lab_id)).one()
    proven = "certificate/certificate.tlog-proof" in files
    command = _COMMAND if proven else _NO_PROOF
    words = README.format(number=certificate.number, lab=lab.code, command=command)
    files["README.txt"] = words.encode()
    files["manifest.json"] = _manifest(certificate.number, lab.code, files)
    name = _name(certificate.number)
    return Pack(f"{name}-audit-pack.zip", _zipped(files))


def _files(
    ctx: Context, source: PackSource, certificate: Certificate
) -> Iterator[tuple[str, bytes]]:
    yield from _issued(ctx, source, certificate)
    if source.trust is not None:
        yield "trust.json", source.trust.canonical()
    yield "verify.py", (resources.files("calib.verifier") / "standalone.py").read_bytes()
    status = source.statuses.read(LIST)
    if status is not None:
        yield "status.txt", status
    about = [("certificate", certificate.id)]
    people: set[int] = set()
    yield from _record(ctx, certificate, about, people)
    yield from _ordered(ctx, certificate, about)
    yield from _standards(ctx, source, certificate, about)
    acts = [_plain_act(act) for act in trail.acts_about(ctx, about)]
    people |= {int(act["person_id"]) for act in acts if act["person_id"]}
    yield "audit.json", _json(acts)
    yield "people.json", _json(_people(ctx, people))
    yield "scope.json", _json(_scope(ctx, certificate))


def _issued(
    ctx: Context, source: PackSource, certificate: Certificate
) -> Iterator[tuple[str, bytes]]:
    """Yield what was issued, and what happened to it since."""
    session = ctx.session
    yield "certificate/document.json", certificate.payload.encode()
    row = {k: v for k, v in _plain(certificate).items() if k != "payload"}
    events = _rows(ctx, CertificateEvent, CertificateEvent.certificate_id == certificate.id)
    yield "certificate/certificate.json", _json({**row, "events": events})
    held = select(CertificateFile).where(CertificateFile.certificate_id == certificate.id)
    for file in session.scalars(held.order_by(CertificateFile.role)):
        yield f"certificate/{NAMES[file.role]}", source.store.get(file.sha256)
    if source.log is not None:
        proof = proof_of(source.log, session, certificate.id, "issued").text()
        yield "certificate/certificate.tlog-proof", proof.encode()


def _record(
    ctx: Context, certificate: Certificate, about: list[tuple[str, int]], people: set[int]
) -> Iterator[tuple[str, bytes]]:
    """Yield the record of the work, and note who had a hand in it."""
    id_ = certificate.calibration_id
    record = ctx.session.scalars(select(Calibration).where(Calibration.id == id_)).one()
    about.append(("calibration", id_))
    yield "record/definition.json", _json(record.definition)
    told = {k: v for k, v in _plain(record).items() if k != "definition"}
    parts: dict[str, Any] = {
        "record": told,
        "readings": _rows(ctx, Reading, Reading.calibration_id == id_),
        "conditions": _rows(ctx, Condition, Condition.calibration_id == id_),
        "signatures": _rows(ctx, Signature, Signature.calibration_id == id_),
        "reviews": _rows(ctx, ReviewMark, ReviewMark.calibration_id == id_),
        "evaluations": [
            {k: v for k, v in row.items() if k not in ("input_json", "result_json")}
            for row in _rows(ctx, Evaluation, Evaluation.calibration_id == id_)
        ],
    }
    people.add(record.opened_by)
    for name, found in parts.items():
        if isinstance(found, list):
            people |= {int(row["person_id"]) for row in found if row.get("person_id")}
        yield f"record/{name}.json", _json(found)


def _ordered(
    ctx: Context, certificate: Certificate, about: list[tuple[str, int]]
) -> Iterator[tuple[str, bytes]]:
    """Yield order, customer, instrument and model."""
    session = ctx.session
    line = session.scalars(
        select(OrderLine)
        .join(Calibration, Calibration.order_line_id == OrderLine.id)
        .where(Calibration.id == certificate.calibration_id)
    ).one()
    order = session.scalars(select(Order).where(Order.id == line.order_id)).one()
    item = session.scalars(
        select(Instrument).where(Instrument.id == certificate.instrument_id)
    ).one()
    about += [("order_line", line.id), ("order", order.id), ("instrument", item.id)]
    about.append(("instrument_model", item.model_id))
    yield "order/order.json", _json({**_plain(order), "line": _plain(line)})
    yield "order/customer.json", _json(_rows(ctx, Customer, Customer.id == order.customer_id))
    history = _rows(ctx, InstrumentStatus, InstrumentStatus.instrument_id == item.id)
    yield "order/instrument.json", _json({**_plain(item), "history": history})
    models = _rows(ctx, InstrumentModel, InstrumentModel.id == item.model_id)
    yield "order/model.json", _json(models)


def _standards(
    ctx: Context, source: PackSource, certificate: Certificate, about: list[tuple[str, int]]
) -> Iterator[tuple[str, bytes]]:
    """Yield the standards that were read, with all certificates of each."""
    session = ctx.session
    read = select(Reading.standard_certificate_id).where(
        Reading.calibration_id == certificate.calibration_id,
        Reading.standard_certificate_id.is_not(None),
    )
    used = select(StandardCertificate.standard_id).where(StandardCertificate.id.in_(read))
    found = select(MeasurementStandard).where(MeasurementStandard.id.in_(used))
    for standard in session.scalars(found.order_by(MeasurementStandard.code)):
        about.append(("measurement_standard", standard.id))
        folder = f"standards/{_name(standard.code)}-{standard.id}"
        rows = _rows(ctx, StandardCertificate, StandardCertificate.standard_id == standard.id)
        for row in rows:
            about.append(("standard_certificate", row["id"]))
            of = StandardCertificateValue.certificate_id == row["id"]
            row["values"] = _rows(ctx, StandardCertificateValue, of)
            if row["file_sha256"]:
                yield f"{folder}/{row['file_sha256']}", source.store.get(row["file_sha256"])
        yield f"{folder}/standard.json", _json({**_plain(standard), "certificates": rows})


def _people(ctx: Context, ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return who had a hand in it, each with all roles and their periods."""
    known = ctx.session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.id)).all()
    return [
        {
            "id": person.id,
            "name": person.name,
            "human": person.human,
            "roles": _rows(ctx, Membership, Membership.person_id == person.id),
            "competence": _rows(ctx, Competence, Competence.person_id == person.id),
        }
        for person in known
    ]


def _scope(ctx: Context, certificate: Certificate) -> list[dict[str, Any]]:
    """Return the rows of the scope that were in force on the day of issue."""
    issued = events_of(ctx.session, certificate.id)["issued"]
    day = issued.happened_at.astimezone(ctx.zone).date()
    still = or_(ScopeRow.ends_on.is_(None), ScopeRow.ends_on >= day)
    return _rows(ctx, ScopeRow, (ScopeRow.starts_on <= day) & still)


def _plain_act(act: trail.ActView) -> dict[str, Any]:
    told = asdict(act)
    return told | {"happened_at": act.happened_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


def _rows(ctx: Context, kind: Any, condition: Any) -> list[dict[str, Any]]:
    found = ctx.session.scalars(select(kind).where(condition).order_by(kind.id))
    return [_plain(row) for row in found]


def _plain(row: Any) -> dict[str, Any]:
    """Return a row as the database holds it, without what opens doors."""
    table = inspect(row).mapper.local_table
    return {c.name: stored(c, getattr(row, c.name)) for c in table.columns if not is_secret(c)}


def _name(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text)


def _json(plain: object) -> bytes:
    return canonical_json(plain) + b"\n"


def _manifest(number: str, lab: str, files: Mapping[str, bytes]) -> bytes:
    listed = [
        {"path": name, "sha256": sha256(content), "size": len(content)}
        for name, content in sorted(files.items())
    ]
    return _json({"pack": 1, "certificate": number, "lab": lab, "files": listed})


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()
