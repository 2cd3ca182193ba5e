"""Sealers: what puts a seal on a rendered certificate, or says in words that it bears none."""

from __future__ import annotations

from calib.certificates.signing import UNSIGNED, Rendered, Sealed, seal_rendered


class UnsealedSealer:
    """For a lab without a seal key: the rendered bytes as they are, which say ``unsigned``."""

    def seal(self, rendered: Rendered) -> Sealed:
        """Return the certificate without a seal."""
        return seal_rendered(rendered, rendered.content, UNSIGNED)
