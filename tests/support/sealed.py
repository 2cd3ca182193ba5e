"""An installation that seals, logs and publishes, with certificates issued in it."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from datetime import datetime
from pathlib import Path

from calib.adapters.files import DirectoryStore
from calib.adapters.http import post
from calib.adapters.log_files import FileAnchor, LogFolder
from calib.adapters.sealing import KeySealer
from calib.adapters.signing_files import FileVault
from calib.adapters.signing_journal import FileJournal
from calib.ledger.trust import TrustBundle
from calib.migrations.run import upgrade
from calib.services import issue, key_views
from calib.services.fsck import fsck
from calib.services.keys import House
from calib.services.log import CHECKPOINT, Log, proof_of
from calib.services.publishing import Publisher, publish
from calib.services.signing_rule import RuledSigner
from calib.services.statuses import LIST
from calib.verifier.evidence import Evidence
from calib.verifier.examine import examine
from calib.verifier.report import Report
from instruments.db import open_engine
from instruments.errors import Finding
from instruments.tenancy import installation_session
from tests.support import issuing, keyed
from tests.support.builders import NOW
from tests.support.issuing import BASE, Bench


@dataclasses.dataclass
class Sealed:
    """The lab with its keys, its files and what it publishes."""

    bench: Bench
    folder: Path
    now: datetime = NOW

    def __post_init__(self) -> None:
        """Open stores, signer and publisher in the folder."""
        vault = FileVault(self.folder / "keys", lambda: keyed.PASSPHRASE)
        journal = FileJournal(self.folder / "keys" / "journal.jsonl")
        ticks = (
            itertools.count().__next__
        )  # a second a signature: a fast machine is not told to wait
        self.signer = RuledSigner(self.bench.engine, vault, journal, self.clock, ticks)
        self.store = DirectoryStore(self.folder / "files")
        self.sealer = KeySealer(self.bench.engine, self.signer)
        self.anchor = FileAnchor(self.folder / "anchor" / "checkpoint")
        self.publisher = Publisher(
            self.bench.engine,
            self.signer,
            LogFolder(self.folder / "log"),
            LogFolder(self.folder / "status"),
            self.anchor,
            post,
        )

    def clock(self) -> datetime:
        """Return the instant that stands still until a test moves it."""
        return self.now

    def issued(self, **more: object) -> issue.IssuedView:
        """Issue a new certificate and publish its line."""
        view = self.issue(issuing.authorised(self.bench, **more))
        publish(self.publisher, self.clock)
        return view

    def issue(self, id_: int, version: int | None = None) -> issue.IssuedView:
        """Issue an authorised record, as it is or as it was when somebody asked first."""
        with self.bench.as_(self.bench.signatory) as ctx:
            version = version or issuing.version_of(ctx, id_)
        return issue.issue_certificate(
            self.bench.engine,
            self.store,
            self.sealer,
            lambda: self.bench.as_(self.bench.signatory),
            id_,
            version,
            f"k-{id_}",
            public_base=BASE,
            clock=self.clock,
        )

    def file(self, view: issue.IssuedView, role: str = "pdf") -> bytes:
        """Return a file of a certificate."""
        return self.store.get(view.files[role])

    def trust(self) -> TrustBundle:
        """Return what verifiers pin."""
        with installation_session(self.bench.engine, read_only=True) as session:
            return key_views.trust_bundle(
                session, host=keyed.HOUSE.host, origin=keyed.HOUSE.origin, now=self.now
            )

    def proof(self, view: issue.IssuedView) -> bytes:
        """Return the proof of a certificate."""
        log = self.publisher.log(self.now)
        assert log is not None
        with installation_session(self.bench.engine, read_only=True) as session:
            return proof_of(log, session, view.certificate_id, "issued").text().encode()

    def evidence(self, view: issue.IssuedView | None = None) -> Evidence:
        """Return all that a well-equipped verifier has."""
        return Evidence(
            now=self.now,
            trust=self.trust(),
            proof=self.proof(view) if view else None,
            status=self.publisher.status_files.read(LIST),
        )

    def examined(self, view: issue.IssuedView) -> Report:
        """Examine the PDF of a certificate with all there is."""
        return examine(self.file(view), self.evidence(view))

    def checkpoint(self) -> bytes:
        """Return the head as it is served."""
        return self.publisher.log_files.read(CHECKPOINT) or b""


def a_sealed_lab(folder: Path, url: str = "", house: House = keyed.HOUSE) -> Sealed:
    """Return a new installation in the folder, with every key; its database may be elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    url = url or f"sqlite+pysqlite:///{folder / 'calib.db'}"
    new = open_engine(url)
    upgrade(new)
    new.dispose()
    bench = issuing.a_bench(url)
    keyed.with_keys(bench, FileVault(folder / "keys", lambda: keyed.PASSPHRASE), house)
    return Sealed(bench, folder)


def moved(lab: Sealed, folder: Path) -> Sealed:
    """Return a copy of an installation on SQLite, to be harmed."""
    shutil.copytree(lab.folder, folder)
    return opened_in(lab, folder)


def opened_in(lab: Sealed, folder: Path) -> Sealed:
    """Return the installation that is in the folder, a copy of the other or restored from it."""
    engine = open_engine(f"sqlite+pysqlite:///{folder / 'calib.db'}")
    installation = dataclasses.replace(lab.bench.installation, engine=engine)
    return Sealed(dataclasses.replace(lab.bench, installation=installation), folder, lab.now)


def faults(lab: Sealed) -> list[Finding]:
    """Compute everything again, and return what is wrong."""

    def find_log() -> Log | None:
        return lab.publisher.log(lab.now)

    return list(fsck(lab.bench.engine, lab.store, find_log, lambda _name, _part: None, lab.now))
