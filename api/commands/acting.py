"""Who acts at the terminal: an API token leads to the same rights as on the pages."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.terminal import language, settings
from api.usage import WrongUsage
from instruments.errors import DomainError, NotAllowed

if TYPE_CHECKING:
    from api.bootstrap import Wiring
    from instruments.context import Context

Token = Annotated[
    str,
    typer.Option(
        envvar="CALIB_TOKEN", help="API token of the person who acts.", show_default=False
    ),
]


@contextmanager
def installation(*, may_begin: bool = False) -> Iterator[Wiring]:
    """Wire the installation that the environment names, for one command.

    Raises WrongUsage where there is none, unless the command `may_begin` one.
    """
    from api.bootstrap import wire

    if not may_begin:
        need_installation()
    wired = wire(settings())
    try:
        yield wired
    finally:
        wired.engine.dispose()


@contextmanager
def acting(token: str, *, read_only: bool = False) -> Iterator[tuple[Context, Wiring]]:
    """Open a transaction of the person behind the token; it commits at the end.

    Raises WrongUsage without a token or an installation, NotAllowed when nobody stands behind it.
    """
    need_token(token)
    with (
        installation() as wired,
        opener(wired, token, read_only=read_only)() as ctx,
    ):
        yield ctx, wired


def need_token(token: str) -> None:
    """Refuse to act for nobody, and where no installation is.

    Raises WrongUsage.
    """
    need_installation()
    if not token:
        raise WrongUsage(
            "token-missing",
            "Say who acts: give an API token with --token or in CALIB_TOKEN. Everybody makes "
            "theirs on the page of the account, the operator with calib person token.",
        )


def need_installation() -> None:
    """Refuse to work where no installation is: a typing error neither founds nor praises one.

    Raises WrongUsage.
    """
    given = settings()
    if not given.database_url and not (given.folder / "calib.db").exists():
        raise WrongUsage(
            "no-installation",
            "There is no installation in {folder}. Set CALIB_DATA to its folder; calib lab new "
            "begins a new one.",
            facts={"folder": str(given.folder)},
        )


def opener(
    wired: Wiring, token: str, *, read_only: bool = False
) -> Callable[[], AbstractContextManager[Context]]:
    """Return what opens a transaction of the person behind the token.

    Raises as `acting` does.
    """
    from api import denied
    from instruments.context import Context
    from instruments.services import denials, signin
    from instruments.tenancy import installation_session, lab_session

    need_token(token)
    with installation_session(wired.engine, read_only=True) as session:
        who = signin.resolve(session, token, wired.clock())
    if who is None:
        unknown = NotAllowed(
            "token-unknown",
            "Nobody stands behind this API token: it is mistyped, has ended or expired, or its "
            "owner has no role any more. Make a new one.",
        )
        denied.tell(wired.engine, wired.clock, None, unknown, asked="token", act=denials.TOKEN)
        raise unknown

    @contextmanager
    def open_context() -> Iterator[Context]:
        try:
            with opened() as ctx:
                yield ctx
        except DomainError as error:
            if denied.is_denial(error):
                asked = error.act or error.code
                denied.tell(wired.engine, wired.clock, who, error, asked=asked)
            raise

    @contextmanager
    def opened() -> Iterator[Context]:
        with lab_session(wired.engine, who.lab_id, read_only=read_only) as session:
            yield Context(
                session=session,
                lab_id=who.lab_id,
                actor=who.actor(),
                now=wired.clock(),
                zone=who.lab_zone,
                language=language(),
                request_id=secrets.token_hex(8),
            )

    return open_context
