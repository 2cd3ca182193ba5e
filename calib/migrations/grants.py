"""What the role of the application may do on PostgreSQL: read and write rows, and nothing else.

The tables belong to another role, under which alone they are made and changed. What is insert-only
cannot even be asked to change.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import DDL, Connection, Table, text

from instruments.errors import Invalid, Refused

_OPEN_TO = """
SELECT DISTINCT r.rolname
FROM pg_class c CROSS JOIN aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.oid = to_regclass('labs') AND a.grantee <> c.relowner AND a.privilege_type = 'INSERT'
ORDER BY r.rolname
"""
_STANDING = """
SELECT r.rolname, r.rolsuper OR r.rolbypassrls, pg_has_role(c.relowner, 'MEMBER')
FROM pg_roles r LEFT JOIN pg_class c ON c.oid = to_regclass('labs') WHERE r.rolname = current_user
"""
_THERE = "SELECT to_regclass('labs') IS NOT NULL OR to_regclass('alembic_version') IS NOT NULL"
_ROLE = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :name"
_BARE = """
SELECT relname FROM pg_class
WHERE oid = ANY (SELECT to_regclass(name) FROM unnest(CAST(:names AS text[])) AS name)
AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname
"""


def roles_of(connection: Connection) -> tuple[str, ...]:
    """Return the roles, besides the owner, that the tables are open to."""
    if connection.dialect.name != "postgresql":
        return ()
    return tuple(connection.scalars(text(_OPEN_TO)))


def open_to(connection: Connection, role: str, tables: Iterable[Table]) -> None:
    """Let a role read and add rows, and change them where they may be changed.

    Raises Invalid for a role that is not there or that row security does not hold.
    """
    need_role(connection, role)
    quoted = connection.dialect.identifier_preparer.quote(role)
    for table in tables:
        rest = "" if table.info.get("insert_only") else ", UPDATE, DELETE"
        _run(connection, f"REVOKE ALL ON {table.name} FROM {quoted}")
        _run(connection, f"GRANT SELECT, INSERT{rest} ON {table.name} TO {quoted}")
    _run(connection, f"GRANT SELECT ON alembic_version TO {quoted}")
    _run(connection, f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}")


def standing(connection: Connection) -> tuple[str, bool, bool]:
    """Return who is connected, whether row security does not hold them, whether they own tables."""
    name, above, owner = connection.execute(text(_STANDING)).one()
    return str(name), bool(above), bool(owner)


def need_owner(connection: Connection) -> None:
    """Refuse to change tables under a role that may only fill them.

    Raises Refused naming the role.
    """
    if connection.dialect.name != "postgresql":
        return
    name, _above, owner = standing(connection)
    if not owner and connection.scalar(text(_THERE)):
        raise Refused(
            "database-not-owner",
            "The database must be brought up to date, and {role} does not own its tables. Run "
            "calib database upgrade with the address of the owner in CALIB_DATABASE_URL.",
            facts={"role": name},
        )


def need_role(connection: Connection, role: str) -> None:
    """Refuse to open the tables to a role that is not there, or that stands above row security.

    Raises Invalid naming the role.
    """
    found = connection.execute(text(_ROLE), {"name": role}).one_or_none()
    if found is None or found[0]:
        raise Invalid(
            "database-role-unfit",
            "The role {role} is not there, or is a superuser or has BYPASSRLS. Make one with "
            "CREATE ROLE {role} LOGIN.",
            facts={"role": role},
        )


def not_kept_apart(connection: Connection, tables: Iterable[Table]) -> tuple[str, ...]:
    """Return those of the tables that are not under row security."""
    return tuple(connection.scalars(text(_BARE), {"names": [one.name for one in tables]}))


def _run(connection: Connection, statement: str) -> None:
    connection.execute(DDL(statement))  # type: ignore[no-untyped-call]
