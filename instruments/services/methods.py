"""A lab's own methods: copy a type, change it, hand it in, let a second person approve it.

A draft may hold errors while it is written; only a text without any is submitted. From its approval
on new records are opened with it; those there are keep the definition they were opened with.
`catalogue` is the one that came with the program, without the methods of any lab.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from instruments.catalogue.editing import Changes, changed
from instruments.catalogue.loader import OWN_VERSION, Catalogue
from instruments.catalogue.own import decode, need_text
from instruments.catalogue.schema import read_type
from instruments.context import Context
from instruments.errors import Conflict, Invalid, NotFound
from instruments.records.methods import METHOD_TRANSITIONS, MethodVersion
from instruments.services import audit, fields
from instruments.services.method_checks import (
    need_another_definition,
    need_other_person,
    need_sound,
)
from instruments.services.method_views import (
    NOUN,
    MethodView,
    approved_version,
    forget_catalogue,
    get_method,
    read_row,
)
from instruments.services.rows import change, check_version, get_row
from instruments.tenancy import hold_lab

OPEN = ("draft", "submitted")
MAX_REASON = 2000


def copy_type(ctx: Context, type_id: str, catalogue: Catalogue, version: str = "") -> MethodView:
    """Start a draft from a type: from what the lab uses now, or from the version that is named.

    Raises
    ------
    NotFound
        No such type or version.
    Conflict
        A revision of the type is being worked on already.
    """
    ctx.need("method.draft")
    hold_lab(ctx.session, ctx.lab_id)
    text, based_on = _source(ctx, type_id, catalogue, version)
    _need_none_open(ctx, type_id)
    return _start(ctx, type_id, text, based_on, "copy")


def import_text(ctx: Context, content: bytes, name: str, catalogue: Catalogue) -> MethodView:
    """Start a draft from a file: a type of the lab's own, or a changed one of the catalogue.

    Raises
    ------
    Invalid
        The file is no text, too long, or no definition; the findings hold every problem.
    Conflict
        Its id belongs to the catalogue in other versions, or a revision is being worked on.
    """
    ctx.need("method.draft")
    text = decode(content, name)
    found = read_type(text, name)
    if found.type is None:
        raise Invalid(
            "method-file-broken",
            "{file} is no definition that can be used ({count} findings). Correct the lines named "
            "and import it again.",
            at="/file",
            facts={"file": name, "count": len(found.findings)},
            findings=found.findings,
        )
    hold_lab(ctx.session, ctx.lab_id)
    type_ = found.type
    known = catalogue.versions(type_.id)
    if known and type_.version not in known:
        raise Conflict(
            "method-id-taken",
            "{id} is a type of the catalogue (versions {known}), the file says {version}. Give "
            "a new type its own id, or write the version that was changed.",
            at="/file",
            facts={"id": type_.id, "known": ", ".join(known), "version": type_.version},
        )
    _need_none_open(ctx, type_.id)
    return _start(ctx, type_.id, text, type_.version if known else "", "import")


def save_text(ctx: Context, method_id: int, version: int, text: str) -> MethodView:
    """Keep the whole text of a draft, with the errors it may have.

    Raises
    ------
    NotFound, Conflict
    Invalid
        The text is empty, too long, or holds characters no database keeps.
    """
    ctx.need("method.draft")
    row = _locked(ctx, method_id, version)
    _need_draft(row)
    _write(ctx, row, need_text(text), "write")
    return get_method(ctx, method_id)


def change_figures(ctx: Context, method_id: int, version: int, changes: Changes) -> MethodView:
    """Change single figures of a draft; comments and all else stay as they are.

    `changes` names places in the text as JSON pointers, see `instruments.catalogue.editing`.

    Raises
    ------
    NotFound, Conflict
    Invalid
        The text is no TOML as it stands, or holds no such place.
    """
    ctx.need("method.draft")
    row = _locked(ctx, method_id, version)
    _need_draft(row)
    fields.few(changes, "/changes", 2000)
    _write(ctx, row, need_text(changed(row.text, changes)), "write")
    return get_method(ctx, method_id)


def submit(
    ctx: Context,
    method_id: int,
    version: int,
    reason: str,
    evidence: Mapping[str, Any],
    catalogue: Catalogue,
) -> MethodView:
    """Hand a draft in for approval, with the reason and what the dry run showed.

    Raises
    ------
    NotFound, Conflict
    Invalid
        No reason is given.
    Refused
        The text has errors, says nothing new, or models and scope of the lab no longer fit it.
    """
    ctx.need("method.draft")
    row = _locked(ctx, method_id, version)
    _need_move(row, "submitted")
    why = fields.words(reason, "/reason", required=True, limit=MAX_REASON)
    type_ = need_sound(ctx, row, catalogue)
    if evidence.get("definition") != row.definition_digest:
        raise Conflict(
            "method-evidence-old",
            "The dry run was made on another text. Run it again and submit then.",
            at="/evidence",
        )
    values = {
        "state": "submitted",
        "reason": why,
        "evidence": dict(evidence),
        "submitted_by": ctx.actor.person_id,
        "submitted_at": ctx.now,
        "remark": "",
    }
    change(ctx, row, values, NOUN)
    _told(ctx, row, "submit", {"reason": why, "evidence": dict(evidence), "version": type_.version})
    return get_method(ctx, method_id)


def give_back(ctx: Context, method_id: int, version: int, remark: str) -> MethodView:
    """Return a submitted revision to its writer with a remark; who submitted may take it back.

    Raises
    ------
    NotFound, Conflict, Invalid
    NotAllowed
        The actor neither approves methods nor submitted this one.
    """
    ctx.need("method.draft")
    row = _locked(ctx, method_id, version)
    _need_move(row, "draft")
    if row.submitted_by != ctx.actor.person_id:
        ctx.need("method.approve")
    said = fields.words(remark, "/remark", required=True, limit=MAX_REASON)
    change(ctx, row, {"state": "draft", "remark": said}, NOUN)
    _told(ctx, row, "return", {"remark": said})
    return get_method(ctx, method_id)


def approve(
    ctx: Context, method_id: int, version: int, remark: str, catalogue: Catalogue
) -> MethodView:
    """Let a submitted revision take effect for new records.

    Raises
    ------
    NotFound, Conflict
    NotAllowed
        The actor is neither manager nor signatory.
    Refused
        The actor wrote or submitted it, or models and scope of the lab no longer fit it.
    """
    ctx.need("method.approve")
    row = _locked(ctx, method_id, version)
    _need_move(row, "approved")
    need_other_person(ctx, row)
    said = fields.words(remark, "/remark", limit=MAX_REASON)
    type_ = need_sound(ctx, row, catalogue)
    values = {
        "state": "approved",
        "approved_by": ctx.actor.person_id,
        "approved_at": ctx.now,
        "remark": said,
    }
    change(ctx, row, values, NOUN)
    _told(ctx, row, "approve", {"remark": said, "version": type_.version})
    return get_method(ctx, method_id)


def withdraw(
    ctx: Context, method_id: int, version: int, remark: str, catalogue: Catalogue
) -> MethodView:
    """Give a draft up, or take an approved revision out of use: the one before is used again.

    Raises
    ------
    NotFound, Conflict, Invalid
    NotAllowed
        An approved revision, and the actor is neither manager nor signatory.
    Refused
        Nothing would define the type any more, though models of it are registered.
    """
    ctx.need("method.draft")
    row = _locked(ctx, method_id, version)
    _need_move(row, "withdrawn")
    said = fields.words(remark, "/remark", required=True, limit=MAX_REASON)
    if row.state == "approved":
        ctx.need("method.approve")
        need_another_definition(ctx, row, catalogue)
    change(ctx, row, {"state": "withdrawn", "remark": said}, NOUN)
    _told(ctx, row, "withdraw", {"remark": said})
    return get_method(ctx, method_id)


def _source(ctx: Context, type_id: str, catalogue: Catalogue, version: str) -> tuple[str, str]:
    """Return the text to start from and the version it is."""
    if OWN_VERSION in version:
        wanted = version.partition(OWN_VERSION)[2]
        row = ctx.session.scalars(
            select(MethodVersion).where(
                MethodVersion.type_id == type_id,
                MethodVersion.revision == (int(wanted) if wanted.isdecimal() else 0),
                MethodVersion.definition.is_not(None),
            )
        ).one_or_none()
        if row is None:
            raise NotFound(
                "method-revision-unknown",
                "The laboratory has no usable revision {version} of {id}. Look it up in the list.",
                facts={"version": version, "id": type_id},
            )
    else:
        row = None if version else approved_version(ctx, type_id)
    if row is not None:
        return row.text, str((row.definition or {})["version"])
    type_ = catalogue.get(type_id, version or None)
    return catalogue.text_of(type_id, type_.version), type_.version


def _need_none_open(ctx: Context, type_id: str) -> None:
    row = ctx.session.scalars(
        select(MethodVersion).where(MethodVersion.type_id == type_id, MethodVersion.state.in_(OPEN))
    ).first()
    if row is not None:
        raise Conflict(
            "method-open",
            "Revision {revision} of {id} is being worked on already (method {number}). Go on "
            "with that one, or give it up first.",
            facts={"revision": row.revision, "id": type_id, "number": row.id},
        )


def _start(ctx: Context, type_id: str, text: str, based_on: str, act: str) -> MethodView:
    newest = ctx.session.scalar(
        select(func.max(MethodVersion.revision)).where(MethodVersion.type_id == type_id)
    )
    row = MethodVersion(
        type_id=type_id,
        revision=(newest or 0) + 1,
        based_on=based_on,
        text=text,
        written_by=ctx.actor.person_id,
        written_at=ctx.now,
    )
    ctx.session.add(row)
    _write(ctx, row, text, act)
    return get_method(ctx, row.id)


def _write(ctx: Context, row: MethodVersion, text: str, act: str) -> None:
    row.text = text
    found = read_row(row).type
    values = {
        "definition": found.as_dict() if found else None,
        "definition_digest": found.digest() if found else "",
        "written_by": ctx.actor.person_id,
        "written_at": ctx.now,
    }
    change(ctx, row, values, NOUN)
    _told(ctx, row, act, {"based_on": row.based_on})


def _locked(ctx: Context, method_id: int, version: int) -> MethodVersion:
    hold_lab(ctx.session, ctx.lab_id)
    row = get_row(ctx, MethodVersion, method_id, NOUN)
    check_version(row, version, NOUN)
    return row


def _need_draft(row: MethodVersion) -> None:
    if row.state != "draft":
        raise Conflict(
            "method-not-draft",
            "This revision is {method_state} and no longer changes. Have it returned, or copy it "
            "to a new draft.",
            facts={"method_state": row.state},
        )


def _need_move(row: MethodVersion, to: str) -> None:
    if to not in METHOD_TRANSITIONS[row.state]:
        raise Conflict(
            "method-state",
            "This revision is {method_state}; that cannot be done with it now. A draft is submitted"
            " first; a submitted one is approved or returned by a second person; an approved one"
            " can only be taken out of use.",
            facts={"method_state": row.state},
        )


def _told(ctx: Context, row: MethodVersion, act: str, facts: Mapping[str, Any]) -> None:
    forget_catalogue(ctx)
    audit.record(
        ctx,
        f"registry:method:{act}",
        "method",
        row.id,
        {
            "type": row.type_id,
            "revision": row.revision,
            "definition": row.definition_digest,
            **facts,
        },
    )
