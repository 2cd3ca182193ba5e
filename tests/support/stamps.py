"""A timestamp authority (RFC 3161) on this machine, for seals that are stamped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asn1crypto import keys, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from calib.certificates.pdf_seal import asn1


@contextmanager
def an_authority(
    stamped_at: datetime,
    *,
    ends: datetime = datetime(2074, 1, 1, tzinfo=UTC),
    of: bytes = b"",
) -> Iterator[tuple[str, x509.Certificate]]:
    """Serve stamps of that time; give the address and the root.

    Its certificates last until `ends`; `of` is a digest it stamps whatever it is given.
    """
    root, own, key = _certificates(ends)
    stamper = DummyTimeStamper(
        asn1(own),
        keys.PrivateKeyInfo.load(
            key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        ),
        certs_to_embed=SimpleCertificateStore.from_certs([asn1(root)]),
        fixed_dt=stamped_at,
    )

    class Asked(BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            asked = tsp.TimeStampReq.load(content)
            if of:
                asked["message_imprint"]["hashed_message"] = of
            answer = stamper.request_tsa_response(asked).dump()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", root
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _certificates(ends):
    root_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    name = _name("Stamps root")
    root = (
        _built(name, name, root_key.public_key(), ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_root=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    own = (
        _built(_name("Stamps"), name, key.public_key(), ends)
        .add_extension(_usage(is_root=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    return root, own, key


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _built(subject, issuer, public_key, ends):
    starts = datetime(2020, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    built = built.public_key(public_key).serial_number(x509.random_serial_number())
    return built.not_valid_before(starts).not_valid_after(ends)


def _usage(*, is_root):
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    held = {"key_cert_sign"} if is_root else {"digital_signature"}
    return x509.KeyUsage(**{name: name in held for name in names})
