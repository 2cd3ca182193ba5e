"""The composition root: settings in, one wired application out; the only importer of adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from sqlalchemy import Engine

from api.settings import Settings
from api.watch import Watch
from calib.adapters.factor_key import FactorKey
from calib.adapters.files import DirectoryStore
from calib.adapters.http import ask, fetcher, post
from calib.adapters.log_files import FileAnchor, LogFolder
from calib.adapters.mail import FolderMailer, Security, SMTPMailer
from calib.adapters.passphrase import need_long, read_passphrase, read_private
from calib.adapters.sealing import CheckedSealer, KeySealer
from calib.adapters.signing_files import FileVault
from calib.adapters.signing_kms import TransitVault
from calib.adapters.webhooks import PinnedCourier
from calib.keeping.restored import is_unacknowledged
from calib.migrations.newest import is_up_to_date
from calib.services.ports import Courier, FileStore, Mailer, Sealer, Signer, Vault
from calib.services.publishing import Publisher
from instruments.catalogue.loader import Catalogue, load_catalogue
from instruments.db import open_engine
from instruments.errors import Unavailable
from instruments.services.factor_secrets import use_key
from instruments.services.identities import Provider
from instruments.services.secrets import refuse_leaked

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from calib.adapters.signer_socket import SignerServer
    from calib.certificates.pdf_seal import TimeAuthority
    from calib.ledger.notes import NoteKey
    from calib.ledger.trust import TrustBundle
    from calib.services.witnessing import Witness

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything a door needs, made once per process."""

    settings: Settings
    engine: Engine
    catalogue: Catalogue
    store: FileStore
    sealer: Sealer
    mailer: Mailer
    courier: Courier
    clock: Clock
    signer: Signer
    publisher: Publisher
    probe: Callable[[], None] = lambda: None
    """Raises what is wrong with the keys."""
    provider: Provider | None = None
    """Through whom people may sign in; None: nobody."""
    watch: Watch = field(default_factory=Watch)


def system_clock() -> datetime:
    """Return the instant now; the only place of the application that asks the system."""
    return datetime.now(UTC)


def wire(settings: Settings, *, clock: Clock = system_clock, synced: bool = True) -> Wiring:
    """Open the database (bringing it up to date), the file store and the mailer.

    `synced` is false only while a demo world is built, see `open_engine`.
    """
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    engine = open_engine(
        settings.url, synced=synced, writable=not is_unacknowledged(settings.folder)
    )
    use_key(engine, FactorKey(folder))
    if not is_up_to_date(engine):
        from calib.migrations.run import upgrade  # half a second that only a new database costs

        upgrade(engine)
    signer = _signer(settings, engine, clock)
    refuse_leaked(Path(settings.leaked_passwords) if settings.leaked_passwords else None)
    return Wiring(
        settings=settings,
        engine=engine,
        catalogue=load_catalogue(),
        store=DirectoryStore(folder / "files"),
        sealer=CheckedSealer(
            KeySealer(engine, signer, _time_authority(settings)), schema_folder(settings)
        ),
        mailer=_mailer(settings, folder),
        courier=PinnedCourier(loopback=settings.webhooks == "loopback"),
        clock=clock,
        signer=signer,
        publisher=_publisher(settings, engine, signer),
        probe=_probe(settings),
        provider=provider_of(settings),
    )


def provider_of(settings: Settings) -> Provider | None:
    """Return the identity provider the settings name; None: they name none."""
    if not settings.oidc_issuer:
        return None
    from calib.adapters.identity_provider import OIDCProvider

    def secret() -> str:
        path = settings.oidc_secret_file
        return read_private(Path(path)).decode().strip() if path else ""

    return OIDCProvider(
        ask,
        issuer=settings.oidc_issuer,
        client=settings.oidc_client,
        secret=secret,
        name=settings.oidc_name or urlsplit(settings.oidc_issuer).netloc,
        factor=frozenset(settings.oidc_factor.split()),
        back=f"{settings.public_url.rstrip('/')}/sign-in/provider/back",
    )


def _probe(settings: Settings) -> Callable[[], None]:
    """Return what finds out whether the keys can be used, without signing anything."""
    if settings.signer == "process":
        from calib.adapters.signer_socket import knock

        return lambda: knock(socket_of(settings))
    return vault_of(settings, lambda: passphrase_of(settings)).check


def _publisher(settings: Settings, engine: Engine, signer: Signer) -> Publisher:
    anchor = settings.anchor or settings.folder / "anchor" / "checkpoint"
    policy = Path(settings.witness_policy).read_text() if settings.witness_policy else ""
    return Publisher(
        engine,
        signer,
        LogFolder(settings.folder / "log"),
        LogFolder(settings.folder / "status"),
        FileAnchor(Path(anchor)),
        post,
        policy,
    )


@contextmanager
def acknowledging(settings: Settings) -> Iterator[Wiring]:
    """Wire a restored installation so that what was restored can be taken up."""
    wired = wire(settings)
    wired.engine.dispose()
    engine = open_engine(settings.url)
    use_key(engine, FactorKey(settings.folder))
    try:
        yield replace(wired, engine=engine, publisher=_publisher(settings, engine, wired.signer))
    finally:
        engine.dispose()


def open_store(folder: Path) -> FileStore:
    """Return the store of files in a folder, also of a backup."""
    return DirectoryStore(folder)


def trust_of(wired: Wiring) -> TrustBundle:
    """Return what verifiers pin of this installation."""
    from calib.certificates.seal_chain import pem_of
    from calib.services.key_views import trust_bundle
    from instruments.tenancy import installation_session

    settings = wired.settings
    with installation_session(wired.engine, read_only=True) as session:
        bundle = trust_bundle(
            session,
            host=settings.host,
            origin=settings.log_origin,
            now=wired.clock(),
            policy=wired.publisher.policy,
        )
    return replace(bundle, time_roots=tuple(pem_of([one]) for one in _time_roots(settings)))


def fetch_log(address: str) -> Callable[[str], bytes]:
    """Return what fetches the files of a log that is served elsewhere."""
    return fetcher(address)


def make_witness(settings: Settings, name: str, logs: Sequence[NoteKey], folder: Path) -> Witness:
    """Return this machine as a witness of `logs`; its key is made when there is none.

    Raises Unavailable when the settings name no passphrase, Conflict for a key of another name.
    """
    from calib.adapters.witness_folder import open_witness

    return open_witness(name, logs, folder, lambda: passphrase_of(settings), system_clock)


def schema_folder(settings: Settings) -> Path:
    """Return where the schemas of digital certificates are kept."""
    return settings.folder / "schemas"


def fetched_schemas(address: str) -> Iterator[bytes]:
    """Yield the schema at an address and everything it imports."""
    from calib.adapters.schemas import fetch_schemas  # one command alone reaches out

    return fetch_schemas(address)


def passphrase_of(settings: Settings) -> bytes:
    """Return the passphrase of the keys from the file that the settings name.

    Raises Unavailable when they name none, Refused when others may read it.
    """
    return read_passphrase(settings.passphrase_file, settings.credentials_directory)


def typed_passphrase(typed: str) -> bytes:
    """Return a passphrase that somebody typed.

    Raises Refused when it is too short.
    """
    return need_long(typed.encode())


def vault_of(settings: Settings, passphrase: Callable[[], bytes]) -> Vault:
    """Return where the private keys are: a token or service where one is named, or files."""
    if settings.kms_url:
        return TransitVault(settings.kms_url, passphrase)
    if not settings.pkcs11_module:
        return FileVault(settings.folder / "keys", passphrase)
    from calib.adapters.signing_pkcs11 import TokenVault

    return TokenVault(settings.pkcs11_module, settings.pkcs11_token, passphrase)


def ruled_signer(settings: Settings, engine: Engine, clock: Clock, vault: Vault) -> Signer:
    """Return what signs by the rule, in this process."""
    from calib.adapters.signing_journal import FileJournal
    from calib.services.signing_rule import RuledSigner

    journal = FileJournal(settings.folder / "keys" / "journal.jsonl")
    return RuledSigner(engine, vault, journal, clock)


def signer_server(settings: Settings, passphrase: Callable[[], bytes]) -> SignerServer:
    """Return the signer as a process of its own, listening; no crash writes its memory down.

    Raises Conflict when one runs already, Unavailable when the keys do not open.
    """
    from calib.adapters.signer_socket import SignerServer, keep_no_core

    keep_no_core()
    vault = vault_of(settings, passphrase)
    vault.check()
    wired = wire(settings)
    signer = ruled_signer(settings, wired.engine, wired.clock, vault)
    return SignerServer(socket_of(settings), signer)


def socket_of(settings: Settings) -> Path:
    """Return where the signer listens."""
    return settings.folder / "signer.sock"


def _signer(settings: Settings, engine: Engine, clock: Clock) -> Signer:
    if settings.signer == "process":
        from calib.adapters.signer_socket import SocketSigner

        return SocketSigner(socket_of(settings))
    vault = vault_of(settings, lambda: passphrase_of(settings))
    return ruled_signer(settings, engine, clock, vault)


def _time_authority(settings: Settings) -> TimeAuthority | None:
    if not settings.timestamp_url:
        return None
    from calib.certificates.pdf_seal import Level, TimeAuthority

    level = cast("Level", settings.timestamp_level)
    return TimeAuthority(settings.timestamp_url, _time_roots(settings), level)


def _time_roots(settings: Settings) -> tuple[Certificate, ...]:
    """Return the roots of the timestamp authority, those of earlier ones with them."""
    from calib.certificates.seal_chain import read_chain

    try:
        path = settings.timestamp_roots
        return read_chain(Path(path).read_text("utf-8")) if path else ()
    except (OSError, UnicodeDecodeError) as problem:
        raise Unavailable(
            "timestamp-roots-unreadable",
            "The file {path} with the roots of the timestamp authority cannot be read. Correct "
            "CALIB_TIMESTAMP_ROOTS.",
            facts={"path": path},
        ) from problem


def _mailer(settings: Settings, folder: Path) -> Mailer:
    if not settings.smtp_host:
        return FolderMailer(folder / "mail", sender=settings.mail_from)
    return SMTPMailer(
        host=settings.smtp_host,
        port=int(settings.smtp_port),
        user=settings.smtp_user,
        password=settings.smtp_password,
        security=cast("Security", settings.smtp_security),
        sender=settings.mail_from,
    )
