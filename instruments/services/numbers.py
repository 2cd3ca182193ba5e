"""Numbers people read: certificates, orders, barcodes.

A number is taken in the transaction that uses it, so a rolled-back act gives its number back and
the series has neither gaps nor duplicates.
"""

from __future__ import annotations

import re
from string import Formatter

from sqlalchemy import select

from instruments.context import Context
from instruments.errors import Invalid
from instruments.records.counters import NumberSeries
from instruments.records.parties import Lab
from instruments.services import audit
from instruments.tenancy import hold_lab

DEFAULT_TEMPLATES = {
    "calibration_certificate": "{lab}-JZ-{year}-{seq:06d}",
    "verification_certificate": "{lab}-JD-{year}-{seq:06d}",
    "verification_notice": "{lab}-JT-{year}-{seq:06d}",
    "check_record": "{lab}-HC-{year}-{seq:06d}",
    "order": "{lab}-WT-{year}-{seq:05d}",
    "barcode": "{lab}{seq:07d}",
}
"""JZ 校准, JD 检定, JT 检定结果通知书, HC 核查, WT 委托."""
CERTIFICATES = (
    "calibration_certificate",
    "verification_certificate",
    "verification_notice",
    "check_record",
)
"""Series whose numbers name one kind of thing: no two of them may ever give the same number."""
_FIELDS = {"lab": "", "year": "", "month": "", "seq": r"0[1-9]d|"}


def take_number(ctx: Context, name: str) -> str:
    """Return the next number of the series; it belongs to this transaction."""
    return take_numbers(ctx, name, 1)[0]


def take_numbers(ctx: Context, name: str, count: int) -> tuple[str, ...]:
    """Return the next `count` numbers of the series; they belong to this transaction."""
    if name not in DEFAULT_TEMPLATES:
        raise KeyError(name)
    hold_lab(ctx.session, ctx.lab_id)
    holder = _series(ctx, name, "") or _open(ctx, name, DEFAULT_TEMPLATES[name], "")
    template = holder.template
    period = _period(template, ctx)
    counter = holder
    if period:
        counter = _series(ctx, name, period) or _open(ctx, name, template, period)
    first = counter.last + 1
    counter.last += count
    ctx.session.flush()
    lab_code = ctx.session.scalars(select(Lab.code).where(Lab.id == ctx.lab_id)).one()
    return tuple(
        template.format(lab=lab_code, year=f"{ctx.today:%Y}", month=f"{ctx.today:%m}", seq=seq)
        for seq in range(first, first + count)
    )


def set_template(ctx: Context, name: str, template: str) -> None:
    """Change how the numbers of a series are written from now on; counters go on.

    Raises Invalid for an unknown series or field, or when numbers could repeat.
    """
    ctx.need("number.write")
    if name not in DEFAULT_TEMPLATES:
        raise Invalid(
            "series-unknown",
            "There is no series {name}. Choose one of: {known}.",
            at="/name",
            facts={"name": name, "known": ", ".join(DEFAULT_TEMPLATES)},
        )
    _check(template)
    hold_lab(ctx.session, ctx.lab_id)
    _need_own(ctx, name, template)
    holder = _series(ctx, name, "") or _open(ctx, name, DEFAULT_TEMPLATES[name], "")
    before, holder.template = holder.template, template
    if not _period(template, ctx):  # one counter for ever: beyond what any year has used
        used = select(NumberSeries.last).where(NumberSeries.name == name)
        holder.last = max(ctx.session.scalars(used))
    facts = {"series": name, "template": [before, template]}
    audit.record(ctx, "registry:numbers:set_template", "number_series", holder.id, facts)


def templates(ctx: Context) -> dict[str, str]:
    """Return the template of every series."""
    ctx.need("number.read")
    rows = ctx.session.scalars(select(NumberSeries).where(NumberSeries.period == ""))
    return DEFAULT_TEMPLATES | {row.name: row.template for row in rows}


def _need_own(ctx: Context, name: str, template: str) -> None:
    """Refuse a template that gives the numbers of another series of certificates."""
    lab_code = ctx.session.scalars(select(Lab.code).where(Lab.id == ctx.lab_id)).one()
    others = [series for series in CERTIFICATES if series != name and name in CERTIFICATES]
    taken = {_first(text, lab_code, ctx): s for s, text in templates(ctx).items() if s in others}
    series = taken.get(_first(template, lab_code, ctx))
    if series is not None:
        raise Invalid(
            "template-taken",
            "The template {template} writes the numbers of the series {series}. Let something in "
            "it tell the two apart.",
            at="/template",
            facts={"template": template, "series": series},
        )


def _first(template: str, lab_code: str, ctx: Context) -> str:
    """Return the first number of a template today, however many digits it is given."""
    plain = re.sub(r"\{seq[^}]*\}", "{seq}", template)
    return plain.format(lab=lab_code, year=f"{ctx.today:%Y}", month=f"{ctx.today:%m}", seq=1)


def _series(ctx: Context, name: str, period: str) -> NumberSeries | None:
    # populate_existing: a row this session already holds may be older than the lock
    return ctx.session.scalars(
        select(NumberSeries)
        .where(NumberSeries.name == name, NumberSeries.period == period)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _open(ctx: Context, name: str, template: str, period: str) -> NumberSeries:
    row = NumberSeries(name=name, template=template, period=period, last=0)
    ctx.session.add(row)
    ctx.session.flush()
    return row


def _period(template: str, ctx: Context) -> str:
    if "{month}" in template:
        return f"{ctx.today:%Y-%m}"
    return f"{ctx.today:%Y}" if "{year}" in template else ""


def _check(template: str) -> None:
    try:
        parts = list(Formatter().parse(template))
    except ValueError as problem:
        raise _unusable(
            "template-unusable",
            "The braces of the template {template} do not match. Write it like {example}.",
            template,
        ) from problem
    names = [name for _, name, _, _ in parts if name is not None]
    for literal, name, spec, conversion in parts:
        if not re.fullmatch(r"[A-Za-z0-9./_-]*", literal):
            raise _unusable(
                "template-unusable",
                "In the template {template} only Latin letters, digits and . / _ - may stand "
                "beside the fields. Write it like {example}.",
                template,
            )
        if name is None:
            continue
        if name not in _FIELDS or conversion or not re.fullmatch(_FIELDS[name], spec or ""):
            raise _unusable(
                "template-unusable",
                "A field of the template {template} is not known or not written as shown. "
                "Write it like {example}.",
                template,
            )
    if names.count("seq") != 1:
        raise _unusable(
            "template-unusable",
            "The running number must stand once in the template {template}. Write it like "
            "{example}.",
            template,
        )
    if "month" in names and "year" not in names:
        raise _unusable(
            "template-unusable",
            "The template {template} has the month without the year, so numbers would repeat after "
            "a year. Write it like {example}.",
            template,
        )


def _unusable(code: str, message: str, template: str) -> Invalid:
    facts = {"template": template, "example": "{lab}-JZ-{year}-{seq:06d}"}
    return Invalid(code, message, at="/template", facts=facts)
