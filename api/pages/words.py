"""English words of the short codes people meet on pages; the reader's language comes after."""

from __future__ import annotations

from collections.abc import Mapping

from api.field_words import FIELD_WORDS
from api.oversight_words import OVERSIGHT_WORDS
from api.pages.key_words import PURPOSE_WORDS, STATE_WORDS
from api.type_words import TAG_WORDS

WORDS: Mapping[str, Mapping[str, str]] = {
    **FIELD_WORDS,
    **OVERSIGHT_WORDS,
    "role": {
        "technician": "Technician",
        "reviewer": "Reviewer",
        "signatory": "Authorised signatory",
        "quality_manager": "Quality manager",
        "manager": "Lab manager",
        "administrator": "Administrator",
        "customer": "Customer",
        "venue_operator": "Venue operator",
    },
    "role_means": {
        "technician": "receives instruments, measures, enters readings",
        "reviewer": "checks the work of a technician",
        "signatory": "authorises and issues certificates",
        "quality_manager": "keeps scope, methods and competence; reads the audit trail",
        "manager": "keeps people, scope and settings of the lab",
        "administrator": "keeps accounts, roles, keys and numbers; works on no record",
        "customer": "orders for one customer and reads its certificates",
        "venue_operator": "sees and orders for the instruments of one customer",
    },
    "meaning": {
        "performed": "performed",
        "reviewed": "reviewed",
        "authorised": "authorised",
    },
    "meaning_says": {
        "performed": "I performed this work, and these are its readings.",
        "reviewed": "I reviewed readings, corrections, standards, findings and budget.",
        "authorised": "I authorise this result for issue.",
    },
    "signed_way": {
        "password": "by password alone",
        "password+code": "by password and code",
        "passkey": "by passkey",
    },
    "competent_act": {
        "performs": "performs",
        "reviews": "reviews",
        "authorises": "authorises",
    },
    "competence_basis": {
        "training": "Training",
        "supervised_work": "Supervised work",
        "comparison": "Comparison",
        "examination": "Test passed",
        "qualification": "Qualification",
    },
    "webhook_event": {
        "certificate.issued": "A certificate was issued",
        "certificate.amended": "A certificate was amended",
        "certificate.withdrawn": "A certificate was withdrawn",
        "instrument.due": "An instrument falls due",
    },
    "webhook_state": {
        "on": "on",
        "off": "off",
        "stopped": "stopped after repeated failure",
        "ended": "ended",
    },
    "delivery_state": {
        "waiting": "waiting to be sent",
        "sending": "being sent",
        "sent": "delivered",
        "given_up": "given up",
    },
    "language": {"zh": "Chinese", "en": "English", "zh+en": "Chinese and English"},
    "use": {"clinical": "Clinical: on people", "industrial": "Industrial: on things"},
    "use_short": {"clinical": "clinical", "industrial": "industrial"},
    "status": {
        "in_service": "In service",
        "limited": "Limited use",
        "out_of_service": "Out of service",
        "lost": "Lost",
        "scrapped": "Scrapped",
    },
    "kind": {"calibration": "Calibration", "verification": "Verification", "check": "Check"},
    "kind_means": {
        "calibration": "Values with their uncertainties; pass or fail only by the rule "
        "agreed below.",
        "verification": "A legal act by its regulation (JJG); ends in pass or fail.",
        "check": "A quick look between calibrations; a record, no certificate.",
    },
    "verification": {
        "initial": "Initial verification",
        "subsequent": "Subsequent verification",
        "in_service": "In-service inspection",
    },
    "order_state": {
        "requested": "Requested",
        "accepted": "Accepted",
        "done": "Done",
        "returned": "Given back",
        "cancelled": "Cancelled",
    },
    "record_state": {
        "draft": "Being measured",
        "submitted": "To review",
        "reviewed": "To authorise",
        "authorised": "To issue",
        "reserved": "Being issued",
        "issued": "Issued",
        "closed": "Closed without a certificate",
    },
    "rule_means": {
        "none": "Only values and uncertainties are reported; the reader judges.",
        "regulation": "The verification regulation fixes the limits and how they are applied.",
        "simple": "Pass when the value lies within the limits; near a limit the risk of a wrong "
        "pass may reach 50 %.",
        "guard_U": "Pass only when the value lies inside the limits by at least U: "
        "a wrong pass at most 2.5 %.",
        "guard_U_nonbinary": "Pass, conditional pass, conditional fail, fail: the middle two "
        "when the value is nearer to a limit than U.",
        "guard_rU": "As guard band U, with a band of r times U that you name.",
        "iso14253_1": "Conformity is proved only when value and uncertainty lie inside the limits; "
        "nonconformity only when both lie outside.",
        "z5403": "The limits are tightened so that a wrong pass stays below 2 %.",
        "tur4": "Pass within the limits, provided that the uncertainty is at most a quarter "
        "of them.",
        "jjf1094": "Pass within the limits, provided that U is at most one third of the limit; "
        "otherwise undetermined near it.",
        "probability": "Pass when the probability to lie within the limits is at least "
        "the one you name.",
    },
    "series": {
        "calibration_certificate": "Calibration certificates",
        "verification_certificate": "Verification certificates",
        "verification_notice": "Notices of verification result",
        "check_record": "Check records",
        "order": "Orders",
        "barcode": "Labels of instruments",
    },
    "rounding": {
        "half_even": "to the nearest",
        "ceil": "always up",
        "ceil_if_gt_5pct": "up, unless at most 5 % of the last digit are left over",
    },
    "standard_status": {"in_service": "In service", "out_of_service": "Out of service"},
    "origin": {"typed": "typed in", "dcc": "read from a DCC file"},
    "severity": {"error": "Error", "warning": "Warning", "note": "Note"},
    "step": {
        "draft": "Measure",
        "submitted": "Review",
        "reviewed": "Authorise",
        "authorised": "Issue",
        "issued": "Issued",
    },
    "stage": {"as_found": "As found", "as_left": "As left"},
    "work_place": {"laboratory": "In the laboratory", "site": "On site at the customer"},
    "condition": {
        "temperature": "Ambient temperature",
        "relative_humidity": "Relative humidity",
        "pressure": "Atmospheric pressure",
    },
    "moment": {"start": "At the start", "end": "At the end"},
    "examination": {"yes": "Passed", "no": "Not passed"},
    "output": {
        "error": "Error of indication",
        "correction": "Correction",
        "relative_error": "Relative error",
        "value": "Result",
    },
    "reading_origin": {
        "typed": "typed in",
        "imported": "imported from a file",
        "copied": "taken over from the amended record",
    },
    "mark": {
        "submitted": "Submitted by",
        "reviewed": "Reviewed by",
        "authorised": "Authorised by",
        "returned": "Given back by",
    },
    "person_role": {
        "performed": "Measured by",
        "reviewed": "Reviewed by",
        "authorised": "Authorised by",
    },
    "certificate_kind": {
        "calibration_certificate": "Calibration certificate",
        "verification_certificate": "Verification certificate",
        "verification_notice": "Notice of verification result",
        "check_record": "Check record",
    },
    "certificate_state": {
        "reserved": "Number reserved",
        "issued": "Valid",
        "superseded": "Replaced",
        "withdrawn": "Withdrawn",
        "void": "Void, never issued",
    },
    "certificate_event": {
        "reserved": "Number reserved",
        "issued": "Issued",
        "superseded": "Replaced",
        "withdrawn": "Withdrawn",
        "void": "Number voided",
    },
    "key_purpose": PURPOSE_WORDS,
    "key_state": STATE_WORDS,
    "file": {
        "pdf": "Certificate (PDF)",
        "dcc": "Digital certificate (DCC)",
        "input": "Frozen input (JSON)",
        "result": "Result (JSON)",
    },
    "method_state": {
        "draft": "Draft",
        "submitted": "To approve",
        "approved": "Approved",
        "withdrawn": "Out of use",
    },
    "dry_run": {
        "flipped": "verdicts flip",
        "not_evaluable": "cannot be evaluated any more",
        "changed": "other results change",
        "same": "stay as they are",
    },
    "dry_run_one": {
        "flipped": "The verdict flips",
        "not_evaluable": "Cannot be evaluated",
        "changed": "The result changes",
        "same": "Stays, with new findings",
    },
    "confidence": TAG_WORDS,
    "evaluate": {
        "A": "Type A: scatter of the readings",
        "B": "Type B: stated",
        "certificate": "certificate of the standard",
        "resolution": "resolution of the item",
    },
    "document_status": {
        "announced": "Announced",
        "in_force": "In force",
        "superseded": "Superseded",
        "withdrawn": "Withdrawn, without successor",
    },
    "document_origin": {
        "national": "National",
        "local": "Local",
        "international": "International",
        "foreign": "Of another country or region",
        "other": "Of a maker, a laboratory, a paper",
    },
    "document_role": {
        "method": "Method of the work",
        "limits": "Source of limits",
        "product": "Product standard",
        "standard": "Of the standard used",
    },
    "certificate_standing": {
        "current": "Current",
        "past_due": "Past its date",
        "older": "A newer one exists",
        "superseded": "Replaced",
        "withdrawn": "Withdrawn",
    },
    "stated_by": {"type": "type file", "register": "register", "lab": "recorded here"},
    "confidence_means": {
        "V": "verified at its source",
        "V2": "verified at a secondary source",
        "CALC": "computed from verified facts",
        "BG": "background: still to be confirmed",
    },
}

COLOURS: Mapping[str, Mapping[str, str]] = {
    "status": {
        "in_service": "green",
        "limited": "yellow",
        "out_of_service": "red",
        "lost": "red",
        "scrapped": "red",
    },
    "order_state": {"requested": "yellow", "done": "green", "cancelled": "red"},
    "record_state": {"issued": "green", "closed": "red"},
    "verdict": {
        "pass": "green",
        "conditional_pass": "yellow",
        "undetermined": "yellow",
        "conditional_fail": "yellow",
        "fail": "red",
    },
    "problem_state": {"open": "red", "answered": "yellow", "closed": "green"},
    "method_state": {"submitted": "yellow", "withdrawn": "red"},
    "dry_run": {"flipped": "red", "not_evaluable": "red", "changed": "yellow", "same": "green"},
    "document_status": {
        "announced": "yellow",
        "in_force": "green",
        "superseded": "red",
        "withdrawn": "red",
    },
    "certificate_standing": {"current": "green", "past_due": "yellow", "withdrawn": "red"},
    "certificate_state": {
        "reserved": "yellow",
        "issued": "green",
        "superseded": "yellow",
        "withdrawn": "red",
        "void": "red",
    },
}
"""Badges say it in colour and in words."""

NOTICES: Mapping[str, str] = {
    "saved": "Saved.",
    "created": "Entered.",
    "requested": "The request was sent to the laboratory.",
    "accepted": "The order is accepted. Receive each instrument when it comes in.",
    "received": "The instrument is received and may be measured.",
    "returned": "Given back.",
    "cancelled": "The order is cancelled.",
    "imported": "The rows were imported.",
    "ended": "The end is noted.",
    "second-factor-demanded": "This laboratory demands a second factor of whoever performs, "
    "reviews or authorises. Set one up here first.",
    "admitted": "The role is given. Who has no account yet is invited by mail.",
    "submitted": "Submitted. A colleague reviews it now.",
    "reviewed": "Marked as reviewed. A signatory authorises it now.",
    "authorised": "Authorised. The certificate may be issued.",
    "given-back": "Given back to the bench.",
    "closed": "The record is closed.",
    "issued": "The certificate is issued.",
    "warning-accepted": "The warning is accepted; your reason stays in the record.",
    "withdrawn": "The certificate is withdrawn. Whoever looks it up sees it.",
    "method-submitted": "Submitted. Another manager or signatory approves it now.",
    "method-approved": "Approved. New records are opened with it from now on.",
    "method-returned": "Returned to its writer.",
    "method-withdrawn": "It is not used any more.",
    "confirmed": "The limit is confirmed under your name.",
    "revoked": "The confirmation is revoked; the limit is open again.",
    "handed-in": "Handed in. These figures stay as they are.",
    "answered": "The authority sees your answer now.",
    "returned-answer": "The laboratory sees that its answer does not do.",
    "problem-closed": "The problem is closed.",
    "mail-waits": "The mail goes out again in a moment.",
    "void": "The number is void and will never name a certificate.",
    "proposed": "Proposed. It is done once your colleague has signed in and consented here.",
}


def choices(group: str) -> tuple[tuple[str, str], ...]:
    """Return code and English words of every choice of a group."""
    return tuple(WORDS[group].items())
