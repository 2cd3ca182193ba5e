"""Sealers: what puts a seal on a rendered certificate, or says in words that it bears none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calib.certificates.signing import Linted, Rendered, Sealed


class UnsealedSealer:
    """For a lab without a seal key: the rendered bytes as they are, which say ``unsigned``."""

    def seal_data(self, linted: Linted, xml: bytes) -> bytes:
        """Return the XML as it is."""
        return xml

    def seal(self, rendered: Rendered) -> Sealed:
        """Return the certificate without a seal."""
        from calib.certificates.signing import UNSIGNED, seal_rendered

        return seal_rendered(rendered, rendered.content, UNSIGNED)
