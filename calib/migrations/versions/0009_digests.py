"""Certificates are found by the digest of a file: who has the file may ask for its proof."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index that makes it quick."""
    op.create_index("ix_certificate_files_sha256", "certificate_files", ["sha256"])
