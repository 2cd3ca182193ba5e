"""A lab's exit: its certificates in a form that verifies without this program, and all its rows.

What is written needs nothing of ours to be read: PDF, XML, JSON lines, and one Python file that
checks proofs and statuses with the standard library alone.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources

from sqlalchemy import Engine, column, select, table

from calib.keeping.cells import csv_bytes
from calib.ledger.trust import TrustBundle
from calib.migrations.tables import all_tables
from calib.records.certificates import Certificate, CertificateFile
from calib.services.log import CHECKPOINT, Log, proof_of
from calib.services.ports import FileStore, LogStore
from calib.services.statuses import LIST
from instruments.canonical import canonical_json
from instruments.errors import DomainError, Finding
from instruments.records.parties import Lab
from instruments.tenancy import installation_session, see_all_labs

Put = Callable[[str, bytes], None]
"""Keeps a file under a name with slashes."""
Told = Callable[[str, float], None]
NAMES = {"pdf": "certificate.pdf", "dcc": "dcc.xml", "input": "input.json", "result": "result.json"}
MANIFEST = "SHA256SUMS"
README = """\
Certificates of {en} ({zh}), exported {day}.

Each folder under certificates/ holds one certificate: the PDF, the digital certificate (DCC), the
frozen input from which every figure can be computed again, the result, and the proof that exactly
these bytes stand in the public log. rows/ holds every row the laboratory had, one JSON text a line,
and the same beside it as CSV for spreadsheets: there an empty cell may be an empty text or nothing,
and a text that a spreadsheet would compute has an apostrophe before it. The JSON counts.

To check a certificate with Python alone, without network and without us:

    python3 verify.py trust.json certificates/NUMBER/certificate.pdf \\
        certificates/NUMBER/certificate.tlog-proof --status status.txt

trust.json says whom you trust: compare its SHA-256 with the one the laboratory told you by another
way. status.txt is the list of withdrawn and replaced certificates at the time of the export; later
it only tells what had ended by then.

每个 certificates/ 下的文件夹是一份证书：PDF、数字校准证书（DCC）、可重新计算全部数值的冻结输入、
结果，以及这些字节确实登记在公开日志中的证明。rows/ 为该实验室的全部数据行，每行一个 JSON，
另附同样内容的 CSV 供电子表格使用：其中空单元格可能是空文本或无值，
会被当作公式的文本前加撇号；以 JSON 为准。
只需 Python，无需网络和本系统，即可用上面的命令核验。trust.json 表示您信任谁：请将其 SHA-256
与实验室通过其他途径告知您的值比对。
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    certificates: int
    files: int
    rows: int
    findings: tuple[Finding, ...]
    """Files and proofs that could not be had."""


@dataclass(frozen=True, slots=True)
class Source:
    """The installation a lab leaves."""

    engine: Engine
    store: FileStore
    log: Log | None
    statuses: LogStore
    trust: TrustBundle


def export_lab(source: Source, code: str, day: str, put: Put, told: Told) -> Exported:
    """Write everything of one lab.

    Raises
    ------
    KeyError
        There is no such lab.
    """
    writer, log = _Writer(put), source.log
    with installation_session(source.engine, read_only=True) as session:
        lab = session.scalars(select(Lab).where(Lab.code == code)).one_or_none()
        if lab is None:
            raise KeyError(code)
        rows = session.execute(
            select(Certificate.id, Certificate.number, CertificateFile.role, CertificateFile.sha256)
            .join(CertificateFile, CertificateFile.certificate_id == Certificate.id)
            .where(Certificate.lab_id == lab.id)
            .order_by(Certificate.id, CertificateFile.role)
        ).all()
        findings: list[Finding] = []
        for place, (id_, number, role, sha256) in enumerate(rows):
            told("certificates", place / len(rows))
            folder = f"certificates/{_name(number)}"
            try:
                writer.put(f"{folder}/{NAMES[role]}", source.store.get(sha256))
                if role == "pdf" and log is not None:
                    proof = proof_of(log, session, id_, "issued").text().encode()
                    writer.put(f"{folder}/certificate.tlog-proof", proof)
            except DomainError as problem:
                facts = {**problem.facts, "number": number}
                findings.append(Finding(problem.code, problem.message, at=folder, facts=facts))
        words = README.format(en=lab.name_en, zh=lab.name_zh, day=day)
        lab_id = lab.id
    counted = _rows(source.engine, lab_id, writer, told)
    writer.put("README.txt", words.encode())
    writer.put("trust.json", source.trust.canonical())
    for name, content in (
        ("status.txt", source.statuses.read(LIST)),
        ("checkpoint.txt", log.files.read(CHECKPOINT) if log else None),
        ("verify.py", (resources.files("calib.verifier") / "standalone.py").read_bytes()),
    ):
        if content is not None:
            writer.put(name, content)
    put(MANIFEST, "".join(writer.sums).encode())
    certificates = len({row.number for row in rows})
    return Exported(certificates, len(writer.sums), counted, tuple(findings))


class _Writer:
    """Keeps the sum of each file it writes."""

    def __init__(self, put: Put) -> None:
        self._put = put
        self.sums: list[str] = []

    def put(self, name: str, content: bytes) -> None:
        self._put(name, content)
        self.sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")


def _rows(engine: Engine, lab_id: int, writer: _Writer, told: Told) -> int:
    """Write the rows of every table that belongs to labs, as they are stored."""
    tables = [one for one in all_tables().sorted_tables if "lab_id" in one.columns]
    counted = 0
    with engine.execution_options(read_only=True).connect() as reading:
        see_all_labs(reading)
        for place, one in enumerate(tables):
            told(one.name, place / len(tables))
            bare = table(one.name, *(column(each.name) for each in one.columns))
            keys = [bare.c[each.name] for each in one.primary_key.columns]
            found = reading.execute(
                select(bare).where(bare.c.lab_id == lab_id).order_by(*keys)
            ).mappings()
            kept = [_public(one.name, dict(row)) for row in found]
            counted += len(kept)
            lines = b"".join(canonical_json(row) + b"\n" for row in kept)
            writer.put(f"rows/{one.name}.jsonl", lines)
            names = list(_public(one.name, dict.fromkeys(bare.c.keys())))
            cells = ([_cell(row[name]) for name in names] for row in kept)
            writer.put(f"rows/{one.name}.csv", csv_bytes(itertools.chain([names], cells)))
    return counted


def _public(name: str, row: dict[str, object]) -> dict[str, object]:
    """Leave out what opens doors: digests of tokens, the address of a calendar, keys of hooks."""
    secret = {"customers": ("calendar_token",), "webhooks": ("secret", "old_secret")}
    shut = (*secret.get(name, ()), "token_sha256")
    return {key: value for key, value in row.items() if key not in shut}


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _name(number: str) -> str:
    """Return a number as the name of a folder."""
    return re.sub(r"[^\w.-]", "_", number)


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the file that stands alone does not simply accept, by the names of proofs."""

    unproven: tuple[str, ...]
    simulated: tuple[str, ...]
    """They verify, and say that the readings were simulated."""


def prove(read: Callable[[str], bytes], names: Sequence[str]) -> Proofs:
    """Hold every exported certificate to its proof by the file that stands alone."""
    from calib.verifier import standalone

    trust = json.loads(read("trust.json"))
    unproven: list[str] = []
    simulated: list[str] = []
    for name in names:
        if not name.endswith(".tlog-proof"):
            continue
        try:
            standalone.check_log(trust, read(name), read(name.replace(".tlog-proof", ".pdf")))
        except standalone.Simulated:
            simulated.append(name)
        except (standalone.Wrong, ValueError, KeyError, TypeError, IndexError):
            unproven.append(name)
    return Proofs(tuple(unproven), tuple(simulated))
