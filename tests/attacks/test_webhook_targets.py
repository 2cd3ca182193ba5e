"""No message of a lab reaches an address inside, whatever the name, its resolver or its answer."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from calib.adapters import webhooks
from calib.adapters.webhooks import PinnedCourier
from calib.services.webhook_targets import is_inside, read_target
from instruments.errors import DomainError, Invalid, Refused, Unavailable
from tests.support.receivers import a_receiver, saying

INSIDE = (
    "0.0.0.0", "0.1.2.3",  # noqa: S104
    "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "100.127.255.255", "127.0.0.1", "127.1.2.3", "127.255.255.255", "168.63.129.16",
    "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "3ffe::1", "3fff::1", "5f00::1",
    "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1",
    "ff0e::1", "4000::1",
)  # fmt: skip
NAMES = (
    "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "127.1", "0", "017700000001",
    "localhost", "localhost.", "LOCALHOST", "metadata.google.internal", "127.0.0.1.nip.io",
    "xn--localhost-.example", "a.example", "%31%32%37.0.0.1", "127。0。0。1", "①②⑦.0.0.1",
)  # fmt: skip
CROOKED = (
    "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/",
    "https://user:secret@example.org/", "https://example.org@127.0.0.1/", "https://", "https:///x",
    "https://example.org:0/", "https://example.org:22/", "https://example.org:25/",
    "https://example.org:80/", "https://example.org:99999/", "https://example.org/#x",
    "https://example.org\\@127.0.0.1/", "https://exa mple.org/", "https://example.org/\r\nX: y",
    "https://[::1%25lo]/", "https://[fe80::1%eth0]/", "//example.org/", "example.org", "",
    "javascript:alert(1)", "https://" + "a" * 600 + ".org/", "https://ex\u0430mple.org/",
)  # fmt: skip


class Counting:
    """Connects nowhere, and counts who would have."""

    def __init__(self):
        self.to = []

    def __call__(self, address, port, seconds):
        self.to.append(address)
        raise ConnectionRefusedError("nobody is there")


def courier(found, connect, **more):
    return PinnedCourier(resolve=lambda _host, _port: found, connect=connect, **more)


def test_there_are_eighty_targets_and_more():
    assert len({*INSIDE, *NAMES, *CROOKED}) >= 80


def test_no_address_inside_is_ever_connected_to():
    reached = Counting()
    for inside in INSIDE:
        assert is_inside(inside), inside
        for found in ([inside], ["93.184.216.34", inside], [inside, "2606:2800:220:1::"]):
            with pytest.raises(Refused, match="not one of the public internet"):
                courier(found, reached).send("https://hooks.example.org/x", b"{}", {})
    assert reached.to == []


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_name_is_judged_by_what_it_leads_to(name):
    reached = Counting()
    with pytest.raises((Refused, Invalid)):
        courier(["127.0.0.1"], reached).send(f"https://{name}/", b"{}", {})
    assert reached.to == []


@pytest.mark.parametrize("name", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_the_resolver_of_the_system_turns_odd_numbers_into_what_is_refused(name):
    reached = Counting()
    with pytest.raises((Refused, Unavailable)):
        PinnedCourier(connect=reached).send(f"https://{name}/", b"{}", {})
    assert reached.to == []


@pytest.mark.parametrize("address", CROOKED, ids=range(len(CROOKED)))
def test_an_address_that_is_none_is_refused_before_anything_is_looked_up(address):
    asked = []
    reached = Counting()
    with pytest.raises(Invalid):
        PinnedCourier(resolve=lambda *of: asked.append(of) or [], connect=reached).send(
            address, b"", {}
        )
    assert (asked, reached.to) == ([], [])


def test_addresses_of_the_internet_are_none_inside():
    for outside in ("8.8.8.8", "93.184.216.34", "1.1.1.1", "223.5.5.5", "192.167.255.255",
                    "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2400:3200::1"):  # fmt: skip
        assert not is_inside(outside), outside


def test_a_resolver_that_answers_otherwise_the_second_time_is_asked_once():
    answers = iter((["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]))
    reached = Counting()
    sender = PinnedCourier(resolve=lambda *_of: next(answers), connect=reached)
    with pytest.raises(Unavailable):
        sender.send("https://rebinds.example.org/", b"{}", {})
    assert reached.to == ["93.184.216.34"]
    with pytest.raises(Refused):
        sender.send("https://rebinds.example.org/", b"{}", {})
    assert reached.to == ["93.184.216.34"]


def test_this_machine_is_reached_only_where_the_operator_said_so():
    with a_receiver() as receiver:
        with pytest.raises(Invalid):
            PinnedCourier().send(receiver.address, b"{}", {})
        assert receiver.connections == 0
        assert PinnedCourier(loopback=True).send(receiver.address, b"{}", {"A": "b"}) == 204
        (first, headers, body), = receiver.heard  # fmt: skip
        assert (first, headers["a"], body) == ("POST /hook HTTP/1.1", "b", b"{}")
    for inside in ("http://10.0.0.1/", "http://example.org/", "http://192.168.0.1:8080/"):
        with pytest.raises(Invalid):
            read_target(inside, loopback=True)
    with pytest.raises(Refused):
        courier(["10.0.0.1"], Counting(), loopback=True).send("https://a.example/", b"", {})


def test_a_redirect_is_not_followed():
    with a_receiver() as inside:
        away = f"HTTP/1.1 302 Found\r\nLocation: {inside.address}\r\n\r\n".encode()
        with a_receiver(saying(away)) as receiver:
            assert PinnedCourier(loopback=True).send(receiver.address, b"{}", {}) == 302
        assert inside.connections == 0


def test_a_header_cannot_be_slipped_in():
    with a_receiver() as receiver, pytest.raises(Unavailable):
        PinnedCourier(loopback=True).send(receiver.address, b"", {"A": "b\r\nHost: other"})


@pytest.mark.parametrize(
    "said",
    [b"", b"hello\r\n", b"HTTP/1.1\r\n", b"HTTP/1.1 two\r\n", b"\0" * 70_000, b"SSH-2.0-x\r\n"],
    ids=range(6),
)
def test_what_answers_no_http_is_told_so(said):
    with a_receiver(saying(said)) as receiver, pytest.raises(Unavailable):
        PinnedCourier(loopback=True).send(receiver.address, b"{}", {})


def test_whoever_answers_slowly_or_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(webhooks, "SECONDS", 0.4)

    def drip(connection):
        for _ in range(100):
            connection.sendall(b"x")
            if connection.recv(1) == b"":  # the other side has hung up
                return

    with a_receiver(drip) as receiver, pytest.raises(Unavailable):
        PinnedCourier(loopback=True).send(receiver.address, b"{}", {})


def test_a_name_that_is_never_looked_up_is_given_up(monkeypatch):
    monkeypatch.setattr(webhooks, "SECONDS", 0.1)
    over = threading.Event()
    with pytest.raises(Unavailable, match="not looked up"):
        PinnedCourier(resolve=lambda *_of: over.wait(5) or []).send("https://a.example/", b"", {})
    over.set()


def certified(host):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate, key


@pytest.mark.parametrize("asked", ["hooks.example.org", "other.example.org"])
def test_the_certificate_is_asked_for_by_name_and_must_bear_it(tmp_path, asked):
    certificate, key = certified("hooks.example.org")
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "pem").write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "pem")
    names = []
    serving.sni_callback = lambda _socket, name, _context: names.append(name)

    trusting = ssl.create_default_context(cadata=pem.decode())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve():
            with server.accept()[0] as plain:
                try:
                    with serving.wrap_socket(plain, server_side=True) as secured:
                        secured.recv(4096)
                        secured.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                except (ssl.SSLError, OSError):
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        # the public address of the name is played by this machine, below what is checked
        sender = PinnedCourier(
            resolve=lambda *_of: ["93.184.216.34"],
            connect=lambda _to, _port, left: socket.create_connection(("127.0.0.1", port), left),
            trusting=trusting,
        )
        if asked == "hooks.example.org":
            assert sender.send(f"https://{asked}/", b"{}", {}) == 200
        else:
            with pytest.raises(Unavailable):
                sender.send(f"https://{asked}/", b"{}", {})
        thread.join(5)
    assert names == [asked]


def test_every_refusal_says_what_to_do():
    for address in CROOKED:
        with pytest.raises(DomainError) as refused:
            read_target(address)
        assert refused.value.at == "/address"
    assert ipaddress.ip_address("224.0.0.1").is_global  # why the list is our own
