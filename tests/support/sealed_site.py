"""A sealed installation behind a real server, with certificates whose codes lead to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from api.app import create_app
from api.bootstrap import Wiring, wire
from api.settings import Settings
from calib.adapters.signing_files import FileVault
from calib.certificates.reread import read_file
from calib.migrations.run import upgrade
from calib.services import issue, keys
from calib.services.publishing import publish
from instruments.db import open_engine
from tests.support import issuing
from tests.support.issuing import Bench
from tests.support.keyed import PASSPHRASE
from tests.support.mail_server import free_port
from tests.support.served import Clock, running


@dataclass(frozen=True)
class SealedSite:
    """A running installation with its keys, and what was issued there."""

    address: str
    host: str
    wired: Wiring
    bench: Bench
    clock: Clock

    def issued(self, **more: object) -> issue.IssuedView:
        """Issue a certificate whose code leads here, and publish its line.

        In a thread of its own: sealing runs a loop, and so does the browser of the test.
        """
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(self._issued, **more).result()

    def _issued(self, **more: object) -> issue.IssuedView:
        id_ = issuing.authorised(self.bench, **more)
        with self.bench.as_(self.bench.signatory) as ctx:
            version = issuing.version_of(ctx, id_)
        view = issue.issue_certificate(
            self.bench.engine,
            self.wired.store,
            self.wired.sealer,
            lambda: self.bench.as_(self.bench.signatory),
            id_,
            version,
            f"k-{id_}",
            public_base=self.address,
            clock=self.clock,
        )
        self.publish()
        return view

    def publish(self) -> None:
        """Let log and status list take in what happened."""
        publish(self.wired.publisher, self.clock)

    def file(self, view: issue.IssuedView, role: str = "pdf") -> bytes:
        """Return a file of a certificate."""
        return self.wired.store.get(view.files[role])

    def code(self, view: issue.IssuedView) -> str:
        """Return what the code on its pages says."""
        fragment = read_file(self.file(view)).attachments["mark.txt"].decode()
        return f"{self.address}/c/{view.token}#{fragment}"

    def picture(self, view: issue.IssuedView, scale: float = 2.5) -> bytes:
        """Return the page that bears the code as a picture (PNG)."""
        return picture_of(self.file(view), scale)


def picture_of(pdf: bytes, scale: float, page: int = 0) -> bytes:
    """Return a page of a PDF as a picture (PNG), at so many times 72 dots per inch."""
    import io

    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        drawn = io.BytesIO()
        document[page].render(scale=scale).to_pil().save(drawn, "PNG")
        return drawn.getvalue()
    finally:
        document.close()


@contextlib.contextmanager
def sealed_site(folder: Path, name: str = "127.0.0.1") -> Iterator[SealedSite]:
    """Run a new installation with every key on a free port of loopback."""
    port = free_port()
    with unserved_site(folder, f"{name}:{port}") as site, running(create_app(site.wired), port):
        yield site


@contextlib.contextmanager
def unserved_site(folder: Path, host: str) -> Iterator[SealedSite]:
    """Return a new installation with every key, behind no server."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    bench = _with_keys(folder, keys.House(host, f"{host}/log"))
    secret = folder / "passphrase"
    secret.write_bytes(PASSPHRASE)
    secret.chmod(0o600)
    settings = Settings(
        data=str(folder), public_url=f"http://{host}", passphrase_file=str(secret), jobs="worker"
    )
    wired = wire(settings, clock=clock)
    yield SealedSite(f"http://{host}", host, wired, bench, clock)
    wired.engine.dispose()
    bench.engine.dispose()


def _with_keys(folder: Path, house: keys.House) -> Bench:
    url = f"sqlite+pysqlite:///{folder / 'calib.db'}"
    new = open_engine(url)
    upgrade(new)
    new.dispose()
    bench = issuing.a_bench(url)
    vault = FileVault(folder / "keys", lambda: PASSPHRASE)
    with bench.as_(bench.signatory) as ctx:
        keys.make_missing(ctx, vault, house, bench.reviewer.id)
    return bench
