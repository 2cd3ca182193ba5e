"""Tables of calibrations: records, readings, certificates, ledger, notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import check, insert_only, lab_table, same_lab, texts, unique, wholes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _ledger_leaves()
    _schedule_runs()
    _idempotency_keys()
    _mails()
    _stored_files()
    _notices()
    _calibrations()
    _conditions()
    _evaluations()
    _readings()
    _certificates()
    _review_marks()
    _certificate_events()
    _certificate_files()


def _ledger_leaves() -> None:
    op.create_table(
        "ledger_leaves",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        *texts("leaf", "salt", "head", "added_at"),
        *wholes("lab_id", "certificate_id"),
        sa.PrimaryKeyConstraint("place", name="pk_ledger_leaves"),
        sqlite_strict=True,
    )
    insert_only("ledger_leaves")


def _schedule_runs() -> None:
    op.create_table(
        "schedule_runs",
        *wholes("id"),
        *texts("job", "for_on", "started_at"),
        *texts("finished_at", nullable=True),
        *texts("outcome"),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_runs"),
        sqlite_strict=True,
    )
    op.create_index("ix_schedule_runs_job", "schedule_runs", ["job"])


def _idempotency_keys() -> None:
    lab_table(
        "idempotency_keys",
        *wholes("person_id"),
        *texts("act", "key", "fingerprint", "answer", "made_at"),
        *wholes("id", "lab_id"),
        unique("idempotency_keys", "lab_id", "person_id", "act", "key"),
    )
    insert_only("idempotency_keys")


def _mails() -> None:
    lab_table(
        "mails",
        *texts("recipient", "subject", "body"),
        *texts("calendar", nullable=True),
        *texts("message_id", "state"),
        *wholes("attempts"),
        *texts("last_error", "made_at", "next_try_at"),
        *texts("sent_at", nullable=True),
        *wholes("id", "lab_id"),
        check("mails", "state", "state IN ('waiting','sending','sent','refused')"),
        unique("mails", "message_id"),
    )


def _stored_files() -> None:
    lab_table(
        "stored_files",
        *texts("sha256", "name", "media_type"),
        *wholes("size"),
        *texts("purpose"),
        *wholes("person_id"),
        *texts("stored_at"),
        *wholes("id", "lab_id"),
    )
    insert_only("stored_files")


def _notices() -> None:
    lab_table(
        "notices",
        *wholes("instrument_id"),
        *texts("due_on"),
        *wholes("stage"),
        *texts("recipient"),
        *wholes("mail_id"),
        *texts("made_at"),
        *wholes("id", "lab_id"),
        same_lab("notices", "instrument_id", "instruments"),
        same_lab("notices", "mail_id", "mails"),
        unique("notices", "lab_id", "instrument_id", "due_on", "stage", "recipient"),
    )
    insert_only("notices")


def _calibrations() -> None:
    lab_table(
        "calibrations",
        *wholes("order_line_id", "instrument_id"),
        *texts("kind", "type_id", "type_version", "definition", "state", "closing_reason", "plan"),
        *texts("performed_on", nullable=True),
        *texts("place"),
        *wholes("acclimatisation_minutes", nullable=True),
        *texts("examinations", "accepted_warnings", "adjustment", "remark"),
        *wholes("amends_id", nullable=True),
        *texts("amendment_reason"),
        *wholes("opened_by"),
        *texts("opened_at"),
        *wholes("version", "id", "lab_id"),
        check("calibrations", "kind", "kind IN ('calibration','verification','check')"),
        check(
            "calibrations",
            "state",
            "state IN ('draft', 'submitted', 'reviewed', 'authorised', 'reserved', 'issued', "
            "'closed')",
        ),
        same_lab("calibrations", "amends_id", "calibrations"),
        same_lab("calibrations", "instrument_id", "instruments"),
        same_lab("calibrations", "order_line_id", "order_lines"),
    )
    op.create_index("ix_calibrations_instrument_id", "calibrations", ["instrument_id"])
    op.create_index("ix_calibrations_order_line_id", "calibrations", ["order_line_id"])


def _conditions() -> None:
    lab_table(
        "conditions",
        *wholes("calibration_id"),
        *texts("quantity", "moment"),
        *wholes("revision"),
        *texts("value", nullable=True),
        *texts("unit", "reason"),
        *wholes("person_id"),
        *texts("entered_at"),
        *wholes("id", "lab_id"),
        check("conditions", "moment", "moment IN ('start','end')"),
        check(
            "conditions", "quantity", "quantity IN ('temperature','relative_humidity','pressure')"
        ),
        same_lab("conditions", "calibration_id", "calibrations"),
        unique(
            "conditions",
            "lab_id",
            "calibration_id",
            "quantity",
            "moment",
            "revision",
            name="uq_conditions_slot",
        ),
    )
    insert_only("conditions")


def _evaluations() -> None:
    lab_table(
        "evaluations",
        *wholes("calibration_id"),
        *texts("input_json", "input_digest", "result_json", "result_digest", "software"),
        *wholes("person_id"),
        *texts("evaluated_at"),
        *wholes("id", "lab_id"),
        same_lab("evaluations", "calibration_id", "calibrations"),
    )
    op.create_index("ix_evaluations_calibration_id", "evaluations", ["calibration_id"])
    insert_only("evaluations")


def _readings() -> None:
    lab_table(
        "readings",
        *wholes("calibration_id"),
        *texts("measurand", "stage"),
        *wholes("piece"),
        *texts("point", "input"),
        *wholes("place", "revision"),
        *texts("value", nullable=True),
        *texts("unit"),
        *wholes("standard_certificate_id", nullable=True),
        *texts("origin", "reason"),
        *wholes("person_id"),
        *texts("entered_at"),
        *wholes("id", "lab_id"),
        check("readings", "stage", "stage IN ('as_found','as_left')"),
        check("readings", "origin", "origin IN ('typed','imported','copied')"),
        check("readings", "reason", "revision = 1 OR reason <> ''"),
        same_lab("readings", "calibration_id", "calibrations"),
        same_lab("readings", "standard_certificate_id", "standard_certificates"),
        unique(
            "readings",
            "lab_id",
            "calibration_id",
            "measurand",
            "stage",
            "piece",
            "point",
            "input",
            "place",
            "revision",
            name="uq_readings_slot",
        ),
    )
    insert_only("readings")


def _certificates() -> None:
    lab_table(
        "certificates",
        *texts("number", "token", "kind"),
        *wholes("calibration_id", "evaluation_id", "instrument_id"),
        *wholes("replaces_id", nullable=True),
        *texts("payload", "payload_digest", "performed_on"),
        *texts("due_on", nullable=True),
        *texts("verdict"),
        *wholes("reserved_by"),
        *texts("reserved_at"),
        *wholes("id", "lab_id"),
        check(
            "certificates",
            "kind",
            "kind IN ('calibration_certificate', 'verification_certificate', "
            "'verification_notice', 'check_record')",
        ),
        same_lab("certificates", "calibration_id", "calibrations"),
        same_lab("certificates", "evaluation_id", "evaluations"),
        same_lab("certificates", "instrument_id", "instruments"),
        same_lab("certificates", "replaces_id", "certificates"),
        unique("certificates", "lab_id", "number"),
        unique("certificates", "token"),
    )
    op.create_index("ix_certificates_calibration_id", "certificates", ["calibration_id"])
    op.create_index("ix_certificates_instrument_id", "certificates", ["instrument_id"])
    insert_only("certificates")


def _review_marks() -> None:
    lab_table(
        "review_marks",
        *wholes("calibration_id", "evaluation_id"),
        *texts("act", "content_digest", "comment"),
        *wholes("person_id"),
        *texts("marked_at"),
        *wholes("id", "lab_id"),
        check("review_marks", "act", "act IN ('submitted','reviewed','authorised','returned')"),
        same_lab("review_marks", "calibration_id", "calibrations"),
        same_lab("review_marks", "evaluation_id", "evaluations"),
    )
    op.create_index("ix_review_marks_calibration_id", "review_marks", ["calibration_id"])
    insert_only("review_marks")


def _certificate_events() -> None:
    lab_table(
        "certificate_events",
        *wholes("certificate_id"),
        *texts("event", "reason"),
        *wholes("successor_id", "person_id", "second_person_id", nullable=True),
        *texts("happened_at"),
        *wholes("id", "lab_id"),
        check(
            "certificate_events",
            "reason",
            "event NOT IN ('void','withdrawn','superseded') OR reason <> ''",
        ),
        check(
            "certificate_events",
            "event",
            "event IN ('reserved', 'issued', 'void', 'superseded', 'withdrawn')",
        ),
        same_lab("certificate_events", "certificate_id", "certificates"),
        same_lab("certificate_events", "successor_id", "certificates"),
        unique("certificate_events", "lab_id", "certificate_id", "event"),
    )
    op.create_index(
        "ix_certificate_events_certificate_id", "certificate_events", ["certificate_id"]
    )
    insert_only("certificate_events")


def _certificate_files() -> None:
    lab_table(
        "certificate_files",
        *wholes("certificate_id"),
        *texts("role", "sha256"),
        *wholes("size"),
        *texts("media_type"),
        *wholes("id", "lab_id"),
        same_lab("certificate_files", "certificate_id", "certificates"),
        unique("certificate_files", "lab_id", "certificate_id", "role"),
    )
    op.create_index("ix_certificate_files_certificate_id", "certificate_files", ["certificate_id"])
    insert_only("certificate_files")
