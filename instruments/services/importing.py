"""Bulk import of instruments and standards from tables, a dry run first.

Every row is checked before any is written; all are written, or none unless the user wants the good
ones. What is looked up is looked up once for all rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial as partial_of

from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError, Finding, Invalid, Refused
from instruments.services import audit
from instruments.services.import_rows import Known, Ready, check_row, write_rows
from instruments.services.standards import StandardFields, register_standard
from instruments.services.tables import heading, read_table
from instruments.tenancy import hold_lab

__all__ = ["ImportReport", "import_instruments", "import_standards", "read_table"]
MAX_FINDINGS = 1000
MAX_STANDARDS = 2000

INSTRUMENT_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "serial": ("serial", "serial number", "serial no", "出厂编号", "器具编号"),
    "maker": ("maker", "manufacturer", "制造单位", "制造厂", "生产厂家", "生产单位"),
    "model": ("model", "型号规格", "型号", "规格型号", "型号/规格"),
    "customer": ("customer", "owner", "委托单位", "送检单位", "使用单位"),
    "site": ("site", "venue", "场所", "使用场所"),
    "location": ("location", "place", "安装位置", "使用位置", "位置"),
    "asset_number": ("asset number", "control number", "管理编号", "资产编号"),
    "probe_serial": ("probe serial", "probe", "探头编号", "传感器编号"),
    "pieces": ("pieces", "quantity", "数量", "件数", "台件数"),
    "barcode": ("barcode", "label", "条码", "条形码", "标签编号"),
    "interval_months": (
        "interval months",
        "interval",
        "recalibration interval",
        "复校时间间隔",
        "复校时间间隔(月)",
        "复校间隔",
        "校准周期(月)",
    ),
}
"""Headings a column may have, by field; compared without case, width, spaces and underscores."""
STANDARD_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "standard number", "标准器编号", "编号"),
    "name_zh": ("name zh", "chinese name", "名称", "中文名称", "标准器名称"),
    "name_en": ("name en", "name", "english name", "英文名称"),
    "maker": INSTRUMENT_COLUMNS["maker"],
    "model": INSTRUMENT_COLUMNS["model"],
    "serial": INSTRUMENT_COLUMNS["serial"],
    "quantity": ("quantity", "kind of quantity", "量", "被测量", "量的名称"),
    "unit": ("unit", "单位", "计量单位"),
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import found and did."""

    rows: int
    """Rows of the file that hold anything, the headings not counted."""
    created: int
    """What was written; 0 after a dry run."""
    findings: tuple[Finding, ...]
    """Each with ``at`` like ``/rows/17/serial``; the row as a spreadsheet numbers it."""


def import_instruments(
    ctx: Context,
    content: bytes,
    filename: str,
    *,
    catalogue: Catalogue,
    dry_run: bool,
    partial: bool = False,
) -> ImportReport:
    """Register the instruments of a table; a dry run only says what would happen.

    Nothing is written while a row has an error, unless `partial` asks for the good rows.

    Raises NotAllowed, Invalid when the file or its columns cannot be read, Refused beyond limits.
    """
    ctx.need("registry.import")
    table = read_table(content, filename)
    columns, findings = columns_of(
        table[0], INSTRUMENT_COLUMNS, ("serial", "maker", "model", "customer")
    )
    if not dry_run:
        hold_lab(ctx.session, ctx.lab_id)
    known = Known.load(ctx, catalogue)
    ready: list[Ready] = []
    rows = 0
    for number, row in enumerate(table, start=2):
        if not any(cell.strip() for cell in row.values()):
            continue
        rows += 1
        problems = Problems(number, columns)
        checked = check_row({field: row[h] for field, h in columns.items()}, known, problems.run)
        if checked is not None and not problems.found:
            known.take(checked, number)
            ready.append(checked)
        findings.extend(problems.found)
    stopped = any(f.severity == "error" for f in findings) and not partial
    created = 0
    if ready and not dry_run and not stopped:
        created = len(write_rows(ctx, ready))
        _trail(ctx, "instruments", content, filename, rows, created)
    return ImportReport(rows, created, _first(findings))


def import_standards(
    ctx: Context, content: bytes, filename: str, *, dry_run: bool, partial: bool = False
) -> ImportReport:
    """Register the standards of a table; their certificates are entered one by one.

    Raises NotAllowed, Invalid when the file or its columns cannot be read, Refused beyond limits.
    """
    ctx.need("registry.import")
    table = read_table(content, filename)
    columns, findings = columns_of(
        table[0], STANDARD_COLUMNS, ("code", "serial", "quantity", "unit")
    )
    if len(table) > MAX_STANDARDS:
        raise Refused(
            "table-too-large",
            "The sheet in {file} is larger than {limit} rows. Split it, and delete empty columns.",
            facts={"file": filename, "limit": MAX_STANDARDS},
        )
    rows = created = 0
    with ctx.session.begin_nested() as attempt:
        for number, row in enumerate(table, start=2):
            if not any(cell.strip() for cell in row.values()):
                continue
            rows += 1
            problems = Problems(number, columns)
            given: StandardFields = {f: row[h].strip() for f, h in columns.items()}  # type: ignore[assignment]
            if problems.run("", partial_of(register_standard, ctx, **given)) is not None:
                created += 1
            findings.extend(problems.found)
        stopped = any(f.severity == "error" for f in findings) and not partial
        if dry_run or stopped:
            attempt.rollback()
            created = 0
    if created:
        _trail(ctx, "standards", content, filename, rows, created)
    return ImportReport(rows, created, _first(findings))


class Problems:
    """Runs the checks of one row and keeps what they refuse, with row and column."""

    def __init__(self, number: int, columns: Mapping[str, str]) -> None:
        """Begin a row, by its number in the file."""
        self.number = number
        self.columns = columns
        self.found: list[Finding] = []

    def run(self, field: str, check: Callable[[], object]) -> object:
        """Return what the check returns; None, and a finding, when it refuses."""
        try:
            return check()
        except DomainError as problem:
            self.note(field or problem.at.rsplit("/", 1)[-1], problem)
            return None

    def note(self, field: str, problem: DomainError) -> None:
        """Keep what refused a field."""
        facts = {"row": self.number, "column": self.columns.get(field, field)}
        self.found.append(
            Finding(
                problem.code,
                problem.message,
                at=f"/rows/{self.number}/{field}",
                facts=facts | dict(problem.facts),
            )
        )


def columns_of(
    first: Mapping[str, str], known: Mapping[str, Sequence[str]], needed: Sequence[str]
) -> tuple[dict[str, str], list[Finding]]:
    """Return the headings of a table by field, and a warning for each that is not known.

    Raises Invalid when two headings mean the same field, or one that is needed is missing.
    """
    fields = {heading(name): field for field, names in known.items() for name in (field, *names)}
    columns: dict[str, str] = {}
    findings: list[Finding] = []
    for title in first:
        field = fields.get(heading(title))
        if field is None:
            findings.append(
                Finding(
                    "column-unknown",
                    "The column {column} is not known and was left out. Rename it to one of: "
                    "{known}.",
                    severity="warning",
                    at="/rows/1",
                    facts={"column": title or "(empty)", "known": ", ".join(known)},
                )
            )
        elif field in columns:
            raise Invalid(
                "column-twice",
                "The columns {first} and {second} mean the same. Keep one of them.",
                at="/rows/1",
                facts={"first": columns[field], "second": title},
            )
        else:
            columns[field] = title
    missing = [field for field in needed if field not in columns]
    if missing:
        raise Invalid(
            "column-missing",
            "The column {column} is missing. Add a column with one of the headings: {known}.",
            at="/rows/1",
            facts={"column": missing[0], "known": ", ".join(known[missing[0]])},
        )
    return columns, findings


def _trail(ctx: Context, what: str, content: bytes, filename: str, rows: int, created: int) -> None:
    facts = {
        "file": filename,
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": rows,
        "created": created,
    }
    audit.record(ctx, f"registry:{what}:import", what, None, facts)


def _first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    if len(findings) <= MAX_FINDINGS:
        return tuple(findings)
    more = Finding(
        "findings-cut",
        "There are {count} more findings. Correct these first.",
        severity="note",
        facts={"count": len(findings) - MAX_FINDINGS},
    )
    return (*findings[:MAX_FINDINGS], more)
