"""``calib keys`` and ``calib signer``: keys are made, certified, followed and given up; one signs.

Each act on a key names two persons: a manager, who acts with a token, and one who agrees. The
passphrase is typed, or stands in a file the settings name; it is no option and no variable.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.acting import Token, acting, installation
from api.commands.terminal import AsJSON, Reason, answer, settings, tell, words, write_output
from api.usage import WrongUsage
from instruments.errors import Unavailable

if TYPE_CHECKING:
    from api.settings import Settings
    from calib.services.key_views import KeyView, Purpose
    from calib.services.keys import House

app = typer.Typer(no_args_is_help=True, help="Make, certify, rotate and give up signing keys.")
Second = Annotated[int, typer.Option(help="Id of the second person who agrees.")]
Key = Annotated[int, typer.Argument(help="Id of the key, see calib keys list.")]
PURPOSES = ("root", "log", "status", "seal", "mark", "preview")


@app.command()
def new(
    purpose: Annotated[
        str, typer.Argument(help="root, log, status, seal, mark or preview; all: what is missing.")
    ],
    second_person: Second,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Make a key; a seal is certified by the root of the installation at once, if there is one."""
    from calib.services import keys

    chosen = settings()
    wanted = None if purpose == "all" else _purpose(purpose)
    vault = _vault(chosen)
    with acting(token) as (ctx, _):
        if wanted is None:
            made = keys.make_missing(ctx, vault, _house(chosen), second_person)
        else:
            made = (keys.make_key(ctx, vault, _house(chosen), wanted, second_person),)
        now = ctx.now
    told = [_told(key, now) for key in made]
    answer(told, "\n".join(_line(key, now) for key in made), as_json=as_json)


@app.command()
def rotate(key: Key, second_person: Second, token: Token = "", as_json: AsJSON = False) -> None:
    """Make the successor of a key; the old one finishes what was begun with it."""
    from calib.services import keys

    chosen = settings()
    vault = _vault(chosen)
    with acting(token) as (ctx, _):
        made = keys.rotate_key(ctx, vault, _house(chosen), key, second_person)
        now = ctx.now
    answer(_told(made, now), _line(made, now), as_json=as_json)


@app.command(name="list")
def list_(as_json: AsJSON = False) -> None:
    """List every key of the installation and how it stands."""
    from calib.services import key_views
    from instruments.tenancy import installation_session

    with installation() as wired:
        with installation_session(wired.engine, read_only=True) as session:
            found = key_views.list_keys(session)
        now = wired.clock()
    told = [_told(key, now) for key in found]
    answer(told, "\n".join(_line(key, now) for key in found), as_json=as_json)


@app.command()
def retire(
    key: Key, reason: Reason, second_person: Second, token: Token = "", as_json: AsJSON = False
) -> None:
    """Let a key sign no more; what it signed stays good."""
    from calib.services import keys

    with acting(token) as (ctx, _):
        ended, now = keys.retire_key(ctx, key, reason, second_person), ctx.now
    answer(_told(ended, now), _line(ended, now), as_json=as_json)


@app.command()
def compromise(
    key: Key,
    since: Annotated[
        str, typer.Option(help="Since when it may be in other hands, e.g. 2026-03-02T08:00:00Z.")
    ],
    reason: Reason,
    second_person: Second,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Give a key up that may be in other hands: nothing by it is believed from then on."""
    from calib.services import keys

    with acting(token) as (ctx, _):
        given_up = keys.compromise_key(ctx, key, _instant(since), reason, second_person)
        now = ctx.now
    answer(_told(given_up, now), _line(given_up, now), as_json=as_json)


@app.command()
def csr(
    key: Key,
    to: Annotated[Path, typer.Option(help="File to write.")],
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Write the signing request of a seal key, for a certification authority elsewhere."""
    from calib.services import keys

    vault = _vault(settings())
    with acting(token, read_only=True) as (ctx, _):
        request = keys.request_certificate(ctx, vault, key)
    write_output(to, request)
    answer({"key": key, "file": str(to)}, str(to), as_json=as_json)


@app.command(name="import-certificate")
def import_certificate(
    key: Key,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="PEM, key first.")],
    second_person: Second,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Take the certificate that an authority elsewhere gave to a seal key."""
    from calib.services import keys

    with acting(token) as (ctx, _):
        pem = file.read_bytes().decode("ascii", "replace")
        certified, now = keys.import_certificate(ctx, key, pem, second_person), ctx.now
    answer(_told(certified, now), _line(certified, now), as_json=as_json)


@app.command()
def trust(
    to: Annotated[Path | None, typer.Option(help="File to write instead of printing.")] = None,
) -> None:
    """Print what verifiers pin of this installation, as one line of canonical JSON."""
    from api.bootstrap import trust_of

    with installation() as wired:
        bundle = trust_of(wired)
    if to is not None:
        write_output(to, bundle.canonical())
    else:
        typer.echo(bundle.canonical())


def signer() -> None:
    """Hold the keys in a process of its own and sign by its own rule, until told to stop."""
    from api.bootstrap import signer_server, socket_of

    chosen = settings()
    with signer_server(chosen, _passphrase(chosen)) as server, suppress(KeyboardInterrupt):
        tell("The signer answers at {path} (stop with Ctrl-C).", path=str(socket_of(chosen)))
        server.serve_forever()


def _vault(chosen: Settings) -> Any:
    from api.bootstrap import vault_of

    return vault_of(chosen, _passphrase(chosen))


def _passphrase(chosen: Settings) -> Callable[[], bytes]:
    """Return who knows the passphrase: the file the settings name, read at each use, or who typed.

    It is typed twice for a first key.
    """
    from api.bootstrap import passphrase_of, typed_passphrase

    if chosen.passphrase_file or chosen.credentials_directory:
        passphrase_of(chosen)  # what is wrong with it is told before anything begins
        return lambda: passphrase_of(chosen)
    elsewhere = chosen.pkcs11_module or chosen.kms_url
    is_first = not elsewhere and not any((chosen.folder / "keys").glob("*.pem"))
    try:
        typed: str = typer.prompt(
            words("Passphrase of the keys"), hide_input=True, confirmation_prompt=is_first, err=True
        )
    except typer.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise
        raise Unavailable(
            "passphrase-not-asked",
            "Nobody can be asked for the passphrase of the keys: this is no terminal. Write it "
            "into a file that you alone may read (chmod 600) and name that file in "
            "CALIB_PASSPHRASE_FILE, or hand it over as the systemd credential calib-passphrase.",
        ) from None
    passphrase = typed_passphrase(typed)
    return lambda: passphrase


def _house(chosen: Settings) -> House:
    from calib.services.keys import House

    return House(chosen.host, chosen.log_origin)


def _purpose(text: str) -> Purpose:
    for purpose in PURPOSES:
        if text == purpose:
            return purpose  # type: ignore[return-value]
    raise WrongUsage(
        "purpose-unknown",
        "There is no purpose {got}. A key is for one of {known}.",
        facts={"got": repr(text), "known": ", ".join(PURPOSES)},
    )


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise WrongUsage(
            "instant-unreadable",
            "{got} is no instant. Write it with its zone, e.g. 2026-03-02T08:00:00Z.",
            facts={"got": repr(text)},
        )
    return at


def _told(key: KeyView, now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "purpose": key.purpose,
        "lab": key.lab,
        "name": key.name,
        "state": key.state(now),
        "public_key": key.public_key,
        "fingerprint": key.fingerprint,
        "reference": key.reference,
        "valid_from": key.valid_from,
        "valid_to": key.valid_to,
        "compromised_at": key.compromised_at,
    }


def _line(key: KeyView, now: datetime) -> str:
    until = key.valid_to.date().isoformat()
    mark = key.fingerprint or key.public_key
    return f"{key.id:4} {key.purpose:8} {key.state(now):12} {until}  {key.name}  {mark}"
