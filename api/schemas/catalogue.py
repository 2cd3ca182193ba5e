"""Confirmed figures on the wire."""

from __future__ import annotations

from api.schemas.wire import Day, Wire, Words


class NewConfirmation(Wire):
    """What somebody says who compared a limit with its document."""

    measurand: Words
    figure: Words
    document: Words
    clause: Words
    confirmed_on: Day
    remark: Words = ""


class Revocation(Wire):
    """Why a confirmation is taken back."""

    reason: Words
