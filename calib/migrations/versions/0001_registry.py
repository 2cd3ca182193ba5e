"""Tables of the registry: labs, people, instruments, standards, orders, trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calib.migrations.steps import check, insert_only, lab_table, same_lab, texts, unique, wholes

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _labs()
    _persons()
    _api_tokens()
    _audit_events()
    _customers()
    _instrument_models()
    _measurement_standards()
    _number_series()
    _scope_rows()
    _sign_ins()
    _memberships()
    _orders()
    _sites()
    _standard_certificates()
    _instruments()
    _standard_certificate_values()
    _instrument_statuses()
    _order_lines()


def _labs() -> None:
    op.create_table(
        "labs",
        *wholes("id"),
        *texts(
            "code",
            "name_en",
            "name_zh",
            "address_en",
            "address_zh",
            "phone",
            "email",
            "accreditation",
            "time_zone",
            "language",
            "rounding",
            "created_at",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_labs"),
        unique("labs", "code"),
        sqlite_strict=True,
    )


def _persons() -> None:
    op.create_table(
        "persons",
        *wholes("id"),
        *texts("email", "name"),
        *texts("password_hash", nullable=True),
        *texts("language"),
        *wholes("is_active"),
        *texts("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_persons"),
        unique("persons", "email"),
        sqlite_strict=True,
    )


def _api_tokens() -> None:
    op.create_table(
        "api_tokens",
        *wholes("id", "person_id", "lab_id"),
        *texts("name", "token_sha256", "created_at", "expires_at"),
        *texts("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.ForeignKeyConstraint(["lab_id"], ["labs.id"], name="fk_api_tokens_lab_id"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_api_tokens_person_id"),
        unique("api_tokens", "token_sha256"),
        sqlite_strict=True,
    )
    op.create_index("ix_api_tokens_person_id", "api_tokens", ["person_id"])


def _audit_events() -> None:
    lab_table(
        "audit_events",
        *wholes("place"),
        *texts("happened_at"),
        *wholes("person_id", nullable=True),
        *texts("act", "object_kind"),
        *wholes("object_id", nullable=True),
        *texts("facts", "request_id", "previous", "digest"),
        *wholes("id", "lab_id"),
        unique("audit_events", "lab_id", "place"),
    )
    insert_only("audit_events")


def _customers() -> None:
    lab_table(
        "customers",
        *texts("name_en", "name_zh", "address", "contact", "phone", "email", "kind"),
        *wholes("is_small_firm"),
        *texts("language", "calendar_token", "created_at"),
        *wholes("version", "id", "lab_id"),
        unique("customers", "calendar_token"),
    )


def _instrument_models() -> None:
    lab_table(
        "instrument_models",
        *texts("type_id", "maker", "model", "use"),
        *texts("calibration_mode", nullable=True),
        *texts("calibration_mode_source", "attributes", "resolution", "maker_limits", "created_at"),
        *wholes("version", "id", "lab_id"),
        check("instrument_models", "use", "use IN ('clinical','industrial')"),
        unique("instrument_models", "lab_id", "maker", "model"),
    )


def _measurement_standards() -> None:
    lab_table(
        "measurement_standards",
        *texts(
            "code",
            "name_en",
            "name_zh",
            "maker",
            "model",
            "serial",
            "quantity",
            "unit",
            "status",
            "created_at",
        ),
        *wholes("version", "id", "lab_id"),
        check("measurement_standards", "status", "status IN ('in_service','out_of_service')"),
        unique("measurement_standards", "lab_id", "code"),
    )


def _number_series() -> None:
    lab_table(
        "number_series",
        *texts("name", "template", "period"),
        *wholes("last", "id", "lab_id"),
        unique("number_series", "lab_id", "name", "period"),
    )


def _scope_rows() -> None:
    lab_table(
        "scope_rows",
        *texts(
            "type_id",
            "measurand",
            "document",
            "low",
            "high",
            "expanded_uncertainty",
            "fraction",
            "starts_on",
        ),
        *texts("ends_on", nullable=True),
        *wholes("id", "lab_id"),
    )


def _sign_ins() -> None:
    op.create_table(
        "sign_ins",
        *wholes("id", "person_id", "lab_id"),
        *texts("token_sha256", "created_at", "expires_at"),
        *texts("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.ForeignKeyConstraint(["lab_id"], ["labs.id"], name="fk_sign_ins_lab_id"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_sign_ins_person_id"),
        unique("sign_ins", "token_sha256"),
        sqlite_strict=True,
    )
    op.create_index("ix_sign_ins_person_id", "sign_ins", ["person_id"])


def _memberships() -> None:
    lab_table(
        "memberships",
        *wholes("person_id"),
        *texts("role"),
        *wholes("customer_id", nullable=True),
        *texts("starts_on"),
        *texts("ends_on", nullable=True),
        *wholes("id", "lab_id"),
        check("memberships", "whose", "(role = 'venue_operator') = (customer_id IS NOT NULL)"),
        check(
            "memberships",
            "role",
            "role IN ('technician','reviewer','signatory','manager','venue_operator')",
        ),
        same_lab("memberships", "customer_id", "customers"),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_memberships_person_id"),
        unique("memberships", "lab_id", "person_id", "role", "starts_on"),
    )
    op.create_index("ix_memberships_person_id", "memberships", ["person_id"])


def _orders() -> None:
    lab_table(
        "orders",
        *texts("number"),
        *wholes("customer_id"),
        *texts("kind", "state", "requested_on", "requested_by", "decision_rule"),
        *texts("decision_parameter", nullable=True),
        *wholes("print_due"),
        *wholes("interval_months", nullable=True),
        *wholes("include_budget"),
        *texts("language"),
        *wholes("green_channel"),
        *texts("fee", nullable=True),
        *texts("fee_waiver", "remark", "created_at"),
        *wholes("version", "id", "lab_id"),
        check("orders", "kind", "kind IN ('calibration', 'verification', 'check')"),
        check("orders", "state", "state IN ('requested','accepted','done','returned','cancelled')"),
        same_lab("orders", "customer_id", "customers"),
        unique("orders", "lab_id", "number"),
    )


def _sites() -> None:
    lab_table(
        "sites",
        *wholes("customer_id"),
        *texts("name_en", "name_zh", "venue_type", "district", "address", "created_at"),
        *wholes("version", "id", "lab_id"),
        check(
            "sites",
            "venue_type",
            "venue_type IN ('hospital', 'railway_station', 'airport', 'metro', 'bus_station',"
            " 'port', 'school', 'market', 'mall', 'community', 'factory', 'office', 'other')",
        ),
        same_lab("sites", "customer_id", "customers"),
    )


def _standard_certificates() -> None:
    lab_table(
        "standard_certificates",
        *wholes("standard_id"),
        *texts("number"),
        *wholes("edition"),
        *wholes("replaces_id", nullable=True),
        *texts("reason", "issuer", "calibrated_on"),
        *texts("valid_until", "low", "high", nullable=True),
        *texts("origin"),
        *texts("file_sha256", nullable=True),
        *texts("entered_at"),
        *wholes("person_id", nullable=True),
        *wholes("id", "lab_id"),
        check("standard_certificates", "origin", "origin IN ('typed','dcc')"),
        same_lab("standard_certificates", "replaces_id", "standard_certificates"),
        same_lab("standard_certificates", "standard_id", "measurement_standards"),
        unique("standard_certificates", "lab_id", "replaces_id"),
        unique("standard_certificates", "lab_id", "standard_id", "number", "edition"),
    )
    op.create_index(
        "ix_standard_certificates_standard_id", "standard_certificates", ["standard_id"]
    )
    insert_only("standard_certificates")


def _instruments() -> None:
    lab_table(
        "instruments",
        *wholes("model_id", "customer_id"),
        *wholes("site_id", nullable=True),
        *texts("location", "barcode", "asset_number", "serial", "probe_serial"),
        *wholes("pieces"),
        *wholes("interval_months", nullable=True),
        *texts("due_on", nullable=True),
        *texts("created_at"),
        *wholes("version", "id", "lab_id"),
        check("instruments", "pieces", "pieces >= 1"),
        same_lab("instruments", "customer_id", "customers"),
        same_lab("instruments", "model_id", "instrument_models"),
        same_lab("instruments", "site_id", "sites"),
        unique("instruments", "lab_id", "barcode"),
        unique("instruments", "lab_id", "model_id", "serial"),
    )
    op.create_index("ix_instruments_due_on", "instruments", ["due_on"])


def _standard_certificate_values() -> None:
    lab_table(
        "standard_certificate_values",
        *wholes("certificate_id", "place"),
        *texts("indication", "reference", "expanded_uncertainty", "coverage_factor"),
        *texts("dof", nullable=True),
        *wholes("id", "lab_id"),
        same_lab("standard_certificate_values", "certificate_id", "standard_certificates"),
        unique("standard_certificate_values", "lab_id", "certificate_id", "place"),
    )
    insert_only("standard_certificate_values")


def _instrument_statuses() -> None:
    lab_table(
        "instrument_statuses",
        *wholes("instrument_id"),
        *texts("status", "reason", "from_at"),
        *wholes("person_id", nullable=True),
        *wholes("id", "lab_id"),
        check(
            "instrument_statuses",
            "status",
            "status IN ('in_service', 'limited', 'out_of_service', 'lost', 'scrapped')",
        ),
        same_lab("instrument_statuses", "instrument_id", "instruments"),
    )
    op.create_index(
        "ix_instrument_statuses_instrument_id", "instrument_statuses", ["instrument_id"]
    )
    insert_only("instrument_statuses")


def _order_lines() -> None:
    lab_table(
        "order_lines",
        *wholes("order_id", "instrument_id"),
        *texts("verification_kind", nullable=True),
        *texts("customer_limits", "points", "predict"),
        *texts("received_at", nullable=True),
        *wholes("received_by", nullable=True),
        *texts("condition"),
        *texts("returned_at", nullable=True),
        *wholes("version", "id", "lab_id"),
        check(
            "order_lines",
            "verification_kind",
            "verification_kind IS NULL OR verification_kind IN "
            "('initial','subsequent','in_service')",
        ),
        same_lab("order_lines", "instrument_id", "instruments"),
        same_lab("order_lines", "order_id", "orders"),
        unique("order_lines", "lab_id", "order_id", "instrument_id"),
    )
    op.create_index("ix_order_lines_instrument_id", "order_lines", ["instrument_id"])
    op.create_index("ix_order_lines_order_id", "order_lines", ["order_id"])
