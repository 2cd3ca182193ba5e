"""Mails leave through a real server: once, whole, with nothing slipped into their headers."""

from __future__ import annotations

import email
import threading
from datetime import timedelta
from email.policy import default

import pytest
from icalendar import Calendar
from sqlalchemy import select

from calib.adapters.mail import FolderMailer, SMTPMailer
from calib.records.work import Mail
from calib.services import notices, outbox, recall
from instruments.errors import Conflict, NotAllowed, NotFound, Refused, Unavailable
from instruments.services import people
from instruments.tenancy import installation_session, lab_session
from tests.support.mail_server import free_port, mail_server, rude_server

PARTS = {
    "recipient": "station@example.org",
    "subject": "杭州计量院：3 件器具即将到期",
    "body": "您好：\n\n· HZ-000001 红外额温计\n",
    "message_id": "<abc@calib.example>",
    "calendar": None,
}


def mailer(port, **options):
    options = {"timeout": 5, **options}
    return SMTPMailer(host="127.0.0.1", port=port, sender="Calib <calib@example.org>", **options)


@pytest.fixture
def server():
    with mail_server() as running:
        yield running


# ------------------------------------------------------------------------------ one mail, SMTP


def test_a_mail_arrives_with_words_and_calendar_whole(server):
    ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nX-WR-CALNAME:到期日\r\nEND:VCALENDAR\r\n"
    mailer(server.port).send(**PARTS | {"calendar": ics})
    mail = server.received[0]
    assert mail["Subject"] == PARTS["subject"]
    assert mail["Message-ID"] == PARTS["message_id"]
    assert mail["X-Envelope"] == "calib@example.org > station@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, attached = mail.get_body(), next(mail.iter_attachments())
    assert text.get_content_type() == "text/plain"
    assert text.get_content().splitlines() == PARTS["body"].splitlines()
    assert attached.get_content_type() == "text/calendar"
    assert attached.get_param("method") == "PUBLISH"
    assert attached.get_param("charset").lower() == "utf-8"
    assert Calendar.from_ical(attached.get_content())["X-WR-CALNAME"] == "到期日"


def test_the_machine_does_not_tell_its_name(server):
    mailer(server.port).send(**PARTS)
    assert server.names == ["[127.0.0.1]"]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("subject", "Due\r\nBcc: all@example.org"),
        ("subject", "Due\nX: y"),
        ("recipient", "a@example.org\r\nBcc: all@example.org"),
        ("recipient", "=?utf-8?Q?a=0D=0ABcc:_all?=@example.org"),
        ("recipient", "a@=?utf-8?Q?x=0D=0ABcc:_all?="),
        ("recipient", "a@example.org, all@example.org"),
        ("recipient", "Somebody <a@example.org>"),
        ("recipient", "no address"),
        ("recipient", ""),
        ("message_id", "<a@b>\r\nBcc: all@example.org"),
    ],
)
def test_no_header_can_be_slipped_in(server, part, value):
    with pytest.raises(Refused) as caught:
        mailer(server.port).send(**PARTS | {part: value})
    assert caught.value.code == "mail-not-writable"
    assert server.received == []


def test_an_encoded_word_in_a_subject_is_not_decoded_into_a_header(server):
    mailer(server.port).send(**PARTS | {"subject": "=?utf-8?Q?Lab=0D=0ABcc:_all?= is due"})
    assert server.received[0]["Bcc"] is None
    assert server.received[0]["Subject"] == "= ?utf-8?Q?Lab=0D=0ABcc:_all?= is due"


def test_a_body_that_looks_like_headers_stays_a_body(server):
    mailer(server.port).send(**PARTS | {"body": "\nBcc: all@example.org\n.\nRCPT TO:<x@y>\n"})
    assert server.received[0]["Bcc"] is None
    assert "RCPT TO:<x@y>" in server.received[0].get_content()


@pytest.mark.parametrize(
    ("stage", "answer", "kind", "code"),
    [
        ("at_recipient", "550 no such user here", Refused, "mail-refused"),
        ("at_recipient", "450 greylisted", Unavailable, "mail-postponed"),
        ("at_end", "554 looks like spam", Refused, "mail-refused"),
        ("at_end", "451 try later", Unavailable, "mail-postponed"),
        ("at_sender", "550 who are you", Unavailable, "mail-server-unavailable"),
        ("at_sender", "421 closing", Unavailable, "mail-server-unavailable"),
    ],
)
def test_the_answer_of_the_server_decides(server, stage, answer, kind, code):
    setattr(server, stage, answer)
    with pytest.raises(kind) as caught:
        mailer(server.port).send(**PARTS)
    assert caught.value.code == code
    assert answer.split(" ", 1)[1] in str(caught.value)
    assert type(caught.value) is kind


def test_no_server_is_unavailable():
    with pytest.raises(Unavailable, match="Connection"):
        mailer(free_port()).send(**PARTS)


@pytest.mark.parametrize(
    "greeting", [None, b"", b"220 hello\r\n", b"\xff\xfe garbage\r\n", b"554 go away\r\n"]
)
def test_a_server_that_hangs_closes_or_babbles_is_unavailable(greeting):
    with rude_server(greeting) as port, pytest.raises(Unavailable) as caught:
        mailer(port, timeout=0.2).send(**PARTS)
    assert caught.value.code == "mail-server-unavailable"


def test_encryption_that_the_server_cannot_do_is_never_skipped(server):
    with pytest.raises(Unavailable, match="STARTTLS"):
        mailer(server.port, security="starttls").send(**PARTS)
    assert server.received == []


def test_a_password_is_not_sent_where_nobody_asks_and_never_shown(server):
    wrong = mailer(server.port, user="calib", password="hunter22")
    with pytest.raises(Unavailable) as caught:
        wrong.send(**PARTS)
    assert "hunter22" not in str(caught.value) + repr(wrong)
    assert server.received == []


def test_a_mail_that_was_taken_is_sent_even_if_parting_fails(server, monkeypatch):
    def broken(_self):
        raise TimeoutError("no answer to QUIT")

    monkeypatch.setattr("smtplib.SMTP.quit", broken)
    mailer(server.port).send(**PARTS)
    assert len(server.received) == 1


def test_letters_outside_ascii_in_an_address_are_refused_where_not_supported(server):
    with pytest.raises(Refused, match="ASCII"):
        mailer(server.port).send(**PARTS | {"recipient": "测试@example.org"})


# ------------------------------------------------------------------------------ folder


def test_the_folder_holds_each_mail_once_and_whole(tmp_path):
    folder = FolderMailer(tmp_path / "mail", sender="calib@localhost")
    folder.send(**PARTS)
    folder.send(**PARTS)  # again after a crash
    files = list((tmp_path / "mail").iterdir())
    assert [file.name for file in files] == ["abc@calib.example.eml"]
    mail = email.message_from_bytes(files[0].read_bytes(), policy=default)
    assert mail["Subject"] == PARTS["subject"]
    assert mail.get_content().splitlines() == PARTS["body"].splitlines()


def test_a_message_id_cannot_leave_the_folder(tmp_path):
    folder = FolderMailer(tmp_path / "mail", sender="calib@localhost")
    folder.send(**PARTS | {"message_id": "<../../x@y>"})
    assert [p.name for p in tmp_path.iterdir()] == ["mail"]
    assert [p.suffix for p in (tmp_path / "mail").iterdir()] == [".eml"]


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "mail").write_text("a file where the folder should be")
    with pytest.raises(Unavailable) as caught:
        FolderMailer(tmp_path / "mail", sender="calib@localhost").send(**PARTS)
    assert caught.value.code == "mail-folder-unavailable"


# ------------------------------------------------------------------------------ outbox


@pytest.fixture
def world(world):
    world.instrument(world.station, "2026-03-05")
    world.instrument(world.school, "2026-02-20")
    notices.make_notices(world.engine, world.clock, public_url="https://calib.example")
    return world


def send(world, port, **options):
    return outbox.send_waiting(world.engine, mailer(port, **options), world.clock)


def rows(world):
    with installation_session(world.engine) as session:
        found = session.scalars(select(Mail).order_by(Mail.id)).all()
        session.expunge_all()
    return found


def test_digests_reach_a_real_server_once(world, server):
    assert send(world, server.port) == outbox.Sent(3, 0, 0)
    assert send(world, server.port) == outbox.Sent(0, 0, 0)
    assert sorted(mail["To"] for mail in server.received) == [
        "lab@example.org",
        "school@example.org",
        "station@example.org",
    ]
    assert {row.state for row in rows(world)} == {"sent"}
    assert {row.sent_at for row in rows(world)} == {world.now}


def test_two_senders_at_once_send_each_mail_once(world, server):
    barrier = threading.Barrier(3)
    done = []

    def sweep():
        barrier.wait()
        done.append(send(world, server.port))

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.sent for report in done) == 3
    assert len({mail["Message-ID"] for mail in server.received}) == len(server.received) == 3


def test_a_crash_while_sending_is_made_up_for_under_the_same_message_id(world, server):
    def killed(_engine, _mail, _now):
        raise SystemExit("killed between the server's answer and the commit")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "_sent", killed)
        with pytest.raises(SystemExit):
            send(world, server.port)
    left = [row for row in rows(world) if row.state == "sending"]
    assert [row.message_id for row in left] == [mail["Message-ID"] for mail in server.received]
    send(world, server.port)
    assert len(server.received) == 3  # the others; the lease of the first still runs
    world.now += outbox.LEASE
    send(world, server.port)
    ids = [mail["Message-ID"] for mail in server.received]
    assert len(ids) == 4
    assert len(set(ids)) == 3
    assert {row.state for row in rows(world)} == {"sent"}


def test_an_unavailable_server_is_asked_again_with_growing_pauses(world):
    port = free_port()
    assert send(world, port) == outbox.Sent(0, 3, 0)
    assert send(world, port) == outbox.Sent(0, 0, 0)  # not yet
    pauses = []
    for _ in range(4):
        first = rows(world)[0]
        pauses.append((first.next_try_at - world.now) // timedelta(minutes=1))
        world.now = first.next_try_at
        send(world, port)
    assert pauses == [1, 2, 4, 8]
    assert outbox.pause_after(1) == timedelta(minutes=1)
    assert outbox.pause_after(500) == timedelta(hours=6)
    with mail_server() as server:
        world.now += timedelta(hours=1)
        assert send(world, server.port).sent == 3
    assert {row.last_error for row in rows(world)} == {""}


def test_a_server_that_is_down_is_left_alone_after_three_failures(world):
    for n in range(4):
        world.operator(f"p{n}@example.org", world.station)
    notices.make_notices(world.engine, world.clock)
    report = send(world, free_port())
    assert report == outbox.Sent(0, 3, 0)
    assert sum(row.state == "waiting" and row.attempts == 0 for row in rows(world)) == 4


def test_a_refused_mail_is_shown_with_the_reason_and_never_tried_again(world, server):
    server.at_recipient = "550 no such user here"
    assert send(world, server.port) == outbox.Sent(0, 0, 3)
    server.at_recipient = "250 OK"
    world.now += timedelta(days=9)
    assert send(world, server.port) == outbox.Sent(0, 0, 0)
    with lab_session(world.engine, world.lab_id) as session:
        failed = outbox.failed_mails(world.context(session))
    assert {mail.state for mail in failed} == {"refused"}
    assert "550 no such user here" in failed[0].problem.text()
    assert failed[0].problem.code == "mail-refused"


def test_a_refused_mail_can_be_sent_again_by_hand(world, server):
    server.at_recipient = "550 no such user here"
    send(world, server.port)
    server.at_recipient = "250 OK"
    with lab_session(world.engine, world.lab_id) as session:
        ctx = world.context(session)
        id_ = outbox.failed_mails(ctx)[0].id
        outbox.send_again(ctx, id_)
    assert send(world, server.port) == outbox.Sent(1, 0, 0)
    with lab_session(world.engine, world.lab_id) as session:
        ctx = world.context(session)
        with pytest.raises(Conflict):
            outbox.send_again(ctx, id_)
        with pytest.raises(NotFound):
            outbox.send_again(ctx, 99)
        with pytest.raises(NotAllowed):
            outbox.send_again(world.context(session, customer_id=world.station), id_)


def test_a_mailer_that_breaks_stops_nobody_elses_mail(world):
    class Broken:
        def send(self, *, recipient, **_parts):
            if recipient.startswith("lab"):
                raise KeyError("a fault of the program")

    assert outbox.send_waiting(world.engine, Broken(), world.clock) == outbox.Sent(2, 1, 0)
    with lab_session(world.engine, world.lab_id) as session:
        failed = outbox.failed_mails(world.context(session))
    assert [mail.problem.code for mail in failed] == ["mail-failed"]
    assert "KeyError" in failed[0].problem.text()


def test_mails_that_wait_too_long_raise_an_alarm_in_both_languages(world):
    def alarm():
        with lab_session(world.engine, world.lab_id) as session:
            return recall.mail_alarm(session, world.now)

    assert alarm() is None
    world.now += timedelta(hours=6, seconds=1)
    found = alarm()
    assert found.code == "mail-stuck"
    assert "3 mails" in found.words("en")
    assert "3 封" in found.words("zh")
    with mail_server() as server:
        send(world, server.port)
    assert alarm() is None


def test_another_labs_mails_are_not_shown(world):
    with installation_session(world.engine) as session:
        other = people.create_lab(session, code="SH", name_en="Other", name_zh="", now=world.now).id
    send(world, free_port())
    world.lab_id = other
    with lab_session(world.engine, other) as session:
        assert outbox.failed_mails(world.context(session)) == ()
        assert recall.mail_alarm(session, world.now + timedelta(days=1)) is None
