"""Submit, review, authorise, give back: each mark is bound to the evaluation the person saw.

Whoever measured does not review and does not authorise. Any change after a mark voids it: the mark
bears the digest of input and result, and every later step freezes the record again and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from calib.records.calibrations import Calibration, Condition, Reading, ReviewMark
from calib.services import calibration_views, evaluation, signatures
from calib.services.calibration_views import locked, move, need_move, need_reason
from calib.services.competent import need_for_record, need_of_others
from calib.services.evaluation import EvaluationView
from calib.services.freezing import freeze_record
from calib.services.signatures import MARK_OF, ChallengeView, SignatureView
from instruments.context import Context
from instruments.errors import Refused
from instruments.records.parties import Person
from instruments.services import audit
from instruments.services.approval_rules import need_third, rules
from instruments.services.fields import words
from instruments.services.humans import had_a_hand
from instruments.services.reauthentication import Proof

DOES: Mapping[str, str] = {
    "submitted": "performs",
    "reviewed": "reviews",
    "authorised": "authorises",
}
"""What somebody must be authorised for to make a mark."""
Act = Literal["submitted", "reviewed", "authorised", "returned"]


@dataclass(frozen=True, slots=True)
class MarkView:
    """Who did what to which evaluation."""

    act: str
    person_id: int
    person_name: str
    comment: str
    marked_at: datetime
    evaluation_id: int
    content_digest: str
    stands: bool
    """False: the record was given back or changed since."""


def submit(
    ctx: Context, calibration_id: int, version: int, signing: Proof | None = None
) -> EvaluationView:
    """Hand the record over for review: evaluate it and keep the evaluation.

    Raises
    ------
    NotFound, Conflict
    Refused
        Errors stand against it, or warnings nobody accepted.
    """
    ctx.need("calibration.submit")
    row = locked(ctx, calibration_id, version)
    need_move(row, "submitted")
    record = calibration_views.view(ctx, calibration_id)
    need_for_record(ctx, "performs", record)
    need_of_others(ctx, record, ())
    stored = evaluation.evaluate_and_store(ctx, calibration_id)
    signatures.confirm(ctx, row, version, stored, "submitted", signing)
    _mark(ctx, row, stored, "submitted", "")
    return stored


def review(
    ctx: Context,
    calibration_id: int,
    version: int,
    comment: str = "",
    signing: Proof | None = None,
) -> None:
    """Mark the evaluation as technically reviewed by a second person.

    Raises
    ------
    NotFound, Conflict
    Refused
        The reviewer measured, or the record no longer gives what was submitted.
    """
    ctx.need("calibration.review")
    row = locked(ctx, calibration_id, version)
    need_move(row, "reviewed")
    stored = unchanged(ctx, calibration_id)
    _need_other_person(ctx, calibration_id, "review")
    need_for_record(ctx, "reviews", calibration_views.view(ctx, calibration_id))
    signatures.confirm(ctx, row, version, stored, "reviewed", signing)
    _mark(ctx, row, stored, "reviewed", words(comment, "/comment"))


def authorise(
    ctx: Context,
    calibration_id: int,
    version: int,
    comment: str = "",
    signing: Proof | None = None,
) -> None:
    """Mark the evaluation as authorised for issue; the reviewer may be the one who authorises.

    Raises
    ------
    NotFound, Conflict
    Refused
        The signatory measured, or the record no longer gives what was reviewed.
    """
    ctx.need("calibration.authorise")
    row = locked(ctx, calibration_id, version)
    need_move(row, "authorised")
    stored = unchanged(ctx, calibration_id)
    _need_other_person(ctx, calibration_id, "authorise")
    _need_third_person(ctx, marks(ctx, calibration_id))
    need_for_record(ctx, "authorises", calibration_views.view(ctx, calibration_id))
    signatures.confirm(ctx, row, version, stored, "authorised", signing)
    _mark(ctx, row, stored, "authorised", words(comment, "/comment"))


def ask_to_sign(
    ctx: Context, calibration_id: int, meaning: str, session_sha256: str
) -> ChallengeView:
    """Return what the actor is to sign for a mark: performed, reviewed or authorised.

    Raises
    ------
    NotAllowed, NotFound, Conflict, Invalid
    Refused
        Errors stand against a draft, or the record no longer gives what was submitted.
    """
    ctx.need("calibration.sign")
    if meaning == "performed":
        need_move(locked(ctx, calibration_id), "submitted")
        content = evaluation.content_of_draft(ctx, calibration_id)
    else:
        content = unchanged(ctx, calibration_id).content_digest
    return signatures.begin(ctx, calibration_id, meaning, content, session_sha256)


def list_signatures(ctx: Context, calibration_id: int) -> tuple[SignatureView, ...]:
    """Return every signature on a record, void ones too, oldest first.

    Raises
    ------
    NotAllowed
        The actor is none of the lab's own people.
    """
    made = {
        (m.act, m.person_id, m.evaluation_id, m.content_digest)
        for m in marks(ctx, calibration_id)
        if m.stands
    }
    rows = signatures.signature_rows(ctx.session, calibration_id)
    still = not rows or _is_unchanged(ctx, calibration_id)
    return tuple(
        signatures.view_of(
            row,
            stands=still
            and (MARK_OF[row.meaning], row.person_id, row.evaluation_id, row.content_digest)
            in made,
        )
        for row in rows
    )


def _is_unchanged(ctx: Context, calibration_id: int) -> bool:
    """Answer whether what was signed is still what the record gives; an issued one is frozen."""
    state = ctx.session.scalar(select(Calibration.state).where(Calibration.id == calibration_id))
    if state in ("reserved", "issued"):
        return True
    try:
        unchanged(ctx, calibration_id)
    except Refused:
        return False
    return True


def give_back(ctx: Context, calibration_id: int, version: int, reason: str) -> None:
    """Return the record to the bench with a reason; the marks so far no longer stand.

    Raises
    ------
    NotFound, Conflict, Invalid
    """
    ctx.need("calibration.give_back")
    row = locked(ctx, calibration_id, version)
    need_move(row, "draft")
    why = need_reason(reason)
    _mark(ctx, row, evaluation.get_evaluation(ctx, calibration_id), "returned", why)


def marks(ctx: Context, calibration_id: int) -> tuple[MarkView, ...]:
    """Return every mark of the record, oldest first.

    Raises
    ------
    NotAllowed
        The actor is none of the lab's own people.
    """
    ctx.need("calibration.read")
    rows = ctx.session.execute(
        select(ReviewMark, Person.name)
        .join(Person, Person.id == ReviewMark.person_id)
        .where(ReviewMark.calibration_id == calibration_id)
        .order_by(ReviewMark.id)
    ).all()
    returned = max((i for i, (row, _) in enumerate(rows) if row.act == "returned"), default=-1)
    newest = rows[-1][0].evaluation_id if rows else None
    return tuple(
        MarkView(
            act=row.act,
            person_id=row.person_id,
            person_name=name,
            comment=row.comment,
            marked_at=row.marked_at,
            evaluation_id=row.evaluation_id,
            content_digest=row.content_digest,
            stands=i > returned and row.evaluation_id == newest,
        )
        for i, (row, name) in enumerate(rows)
    )


def standing_marks(
    ctx: Context, calibration_id: int, stored: EvaluationView
) -> Mapping[str, MarkView]:
    """Return the three marks that let a certificate be issued, by act.

    Raises
    ------
    Refused
        One is missing, is of another evaluation, or was made by whoever measured.
    """
    found = {
        mark.act: mark
        for mark in marks(ctx, calibration_id)
        if mark.stands and mark.content_digest == stored.content_digest
    }
    measured = performers(ctx, calibration_id)
    for act in ("submitted", "reviewed", "authorised"):
        if act not in found:
            raise Refused(
                "approval-missing",
                "The result as it is now was not {act}. Give the record back, have it submitted, "
                "reviewed and authorised again.",
                facts={"act": act},
                clause="ISO/IEC 17025:2017 7.8.1",
            )
        if act != "submitted" and had_a_hand(ctx.session, found[act].person_id, measured):
            raise _same_person(found[act].person_name, measured, act)
    _need_standing_people(ctx, calibration_id, found)
    _need_signed(ctx, calibration_id, found)
    return found


def _need_signed(ctx: Context, calibration_id: int, found: Mapping[str, MarkView]) -> None:
    """Make sure that every mark is signed, where the lab demands it or one of them is."""
    made = list_signatures(ctx, calibration_id)
    if not made and not rules(ctx).demands_signatures:
        return
    signed = {(one.meaning, one.person_id) for one in made if one.stands}
    for act, mark in found.items():
        if (signatures.MEANING_OF[act], mark.person_id) not in signed:
            raise Refused(
                "signature-missing",
                "That {name} has {act} this is not signed, or the signature is void. Give the "
                "record back, have it submitted, reviewed and authorised again, and signed.",
                facts={"name": mark.person_name, "act": act},
                clause=signatures.CLAUSE,
            )


def _need_standing_people(ctx: Context, calibration_id: int, found: Mapping[str, MarkView]) -> None:
    """Make sure of what the lab asks of those who marked, each as of the day they did."""
    reviewed, authorised = found["reviewed"], found["authorised"]
    if rules(ctx).separates_signatory and had_a_hand(
        ctx.session, authorised.person_id, {reviewed.person_id}
    ):
        raise need_third(authorised.person_name)
    marked = [
        (found[act].person_id, does, found[act].marked_at.astimezone(ctx.zone).date())
        for act, does in DOES.items()
    ]
    need_of_others(ctx, calibration_views.view(ctx, calibration_id), marked)


def performers(ctx: Context, calibration_id: int) -> Mapping[int, str]:
    """Return id and name of everybody who entered a value into the record or submitted it."""
    entered = select(Reading.person_id).where(Reading.calibration_id == calibration_id)
    observed = select(Condition.person_id).where(Condition.calibration_id == calibration_id)
    submitted = select(ReviewMark.person_id).where(
        ReviewMark.calibration_id == calibration_id, ReviewMark.act == "submitted"
    )
    people = ctx.session.execute(
        select(Person.id, Person.name)
        .where(Person.id.in_(entered) | Person.id.in_(observed) | Person.id.in_(submitted))
        .order_by(Person.id)
    )
    return {id_: name for id_, name in people}  # noqa: C416 -- rows are no pairs to mypy


def unchanged(ctx: Context, calibration_id: int) -> EvaluationView:
    """Return the newest evaluation when the record, frozen again, still gives the same input.

    Raises
    ------
    NotFound
    Refused
        Something the result rests on was changed since: a model, a limit, a scope row, or the
        certificate of a standard was corrected by a newer edition.
    """
    stored = evaluation.get_evaluation(ctx, calibration_id)
    frozen, against = freeze_record(ctx, calibration_views.view(ctx, calibration_id))
    if against:
        first = against[0]
        raise Refused(first.code, first.message, at=first.at, facts=first.facts, findings=against)
    if frozen.digest() != stored.input_digest:
        raise Refused(
            "changed-since-evaluation",
            "Something this result rests on was changed after it was evaluated (instrument, model, "
            "agreed limits, scope or standard). Give the record back and submit it again.",
            clause="ISO/IEC 17025:2017 7.8.1",
        )
    return stored


def _need_other_person(ctx: Context, calibration_id: int, act: str) -> None:
    measured = performers(ctx, calibration_id)
    if had_a_hand(ctx.session, ctx.actor.person_id, measured):
        raise _same_person(ctx.actor.name, measured, act)


def _need_third_person(ctx: Context, made: tuple[MarkView, ...]) -> None:
    reviewers = {mark.person_id for mark in made if mark.act == "reviewed" and mark.stands}
    if rules(ctx).separates_signatory and had_a_hand(ctx.session, ctx.actor.person_id, reviewers):
        raise need_third(ctx.actor.name)


def _same_person(name: str, measured: Mapping[int, str], act: str) -> Refused:
    return Refused(
        "same-person",
        "{name} entered or submitted this record and may not {act} it (entered or submitted by "
        "{measured}). Ask a colleague.",
        facts={
            "name": name,
            "act": {"reviewed": "review", "authorised": "authorise"}.get(act, act),
            "measured": ", ".join(measured.values()),
        },
        clause="ISO/IEC 17025:2017 7.8.1",
    )


def _mark(ctx: Context, row: Calibration, stored: EvaluationView, act: Act, comment: str) -> None:
    move(row, "draft" if act == "returned" else act)
    ctx.session.add(
        ReviewMark(
            calibration_id=row.id,
            evaluation_id=stored.id,
            act=act,
            content_digest=stored.content_digest,
            comment=comment,
            person_id=ctx.actor.person_id,
            marked_at=ctx.now,
        )
    )
    audit.record(
        ctx,
        f"calibration:record:{act}",
        "calibration",
        row.id,
        {
            "evaluation_id": stored.id,
            "content": stored.content_digest,
            "comment": comment,
        },
    )
