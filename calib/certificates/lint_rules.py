"""What a lint is, and the list of them; the rules themselves stand beside this module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from calib.certificates.document import CertificateDocument
from instruments.errors import Severity

Hit = tuple[str, Mapping[str, object]]
"""Where in the document (JSON pointer), and the facts of the message."""
Check = Callable[[CertificateDocument], Iterator[Hit]]
ISO17025 = "ISO/IEC 17025:2017 "
VERIFICATIONS = {"verification_certificate", "verification_notice"}


@dataclass(frozen=True, slots=True)
class Lint:
    """One rule: its public code, the clause it stands for, how grave a breach is, the check."""

    code: str
    clause: str
    severity: Severity
    message: str
    check: Check


LINTS: dict[str, Lint] = {}


def rule(
    code: str, clause: str, message: str, severity: Severity = "error"
) -> Callable[[Check], Check]:
    """Enter a check into the list of lints."""

    def register(check: Check) -> Check:
        LINTS[code] = Lint(code, clause, severity, message, check)
        return check

    return register


def decimal_of(text: str) -> Decimal | None:
    """Return a printed number, None where the text is none."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def last_place(value: Decimal) -> Decimal:
    """Return one unit of the last digit."""
    return Decimal(1).scaleb(int(value.as_tuple().exponent))
