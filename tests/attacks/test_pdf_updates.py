"""Sealed PDF files with a change saved behind them, or in place of their seal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.support.refusals import need_refused, step

NAME = generic.NameObject
TEXT = generic.TextStringObject
ARRAY = generic.ArrayObject
NUMBER = generic.NumberObject


def stream(content: bytes, **entries):
    """Return a stream object."""
    given = {NAME(f"/{name}"): value for name, value in entries.items()}
    return generic.StreamObject(given, stream_data=content)


def dictionary(**entries):
    """Return a dictionary object."""
    return generic.DictionaryObject({NAME(f"/{name}"): one for name, one in entries.items()})


def box(*sides):
    """Return a rectangle."""
    return ARRAY(generic.FloatObject(side) for side in sides)


class Update(IncrementalPdfFileWriter):
    """An editor that saves its change behind the file."""

    @property
    def page(self):
        """Return the first page."""
        return self.root["/Pages"]["/Kids"][0]

    def draw(self, content: bytes, *, alone: bool = False):
        """Draw on the first page, beside what is there or instead."""
        new = self.add_object(stream(content))
        old = self.page.raw_get("/Contents")
        self.page["/Contents"] = new if alone else ARRAY([old, new])
        self.update_container(self.page)

    def annotate(self, subtype: str, **more):
        """Put an annotation on the first page."""
        shape = self.add_object(
            stream(b"1 1 1 rg 0 0 200 40 re f", Type=NAME("/XObject"), Subtype=NAME("/Form"),
                   BBox=box(0, 0, 200, 40))
        )  # fmt: skip
        given = {"F": NUMBER(4), "AP": dictionary(N=shape), **more}
        one = dictionary(
            Type=NAME("/Annot"), Subtype=NAME(subtype), Rect=box(50, 500, 250, 540), **given
        )
        self.page["/Annots"] = ARRAY([*self.page.get("/Annots", ()), self.add_object(one)])
        self.update_container(self.page)

    def set_root(self, name: str, value):
        """Set an entry of the catalogue."""
        self.root[name] = value
        self.update_root()

    def attached(self, name: str):
        """Return the file specification of an attachment."""
        names = self.root["/Names"]["/EmbeddedFiles"]["/Names"]
        return next(names[i + 1] for i in range(0, len(names), 2) if str(names[i]) == name)


def _script(update):
    action = dictionary(S=NAME("/JavaScript"), JS=TEXT("this.getField('U').value='0.01'"))
    update.set_root("/OpenAction", update.add_object(action))


def _script_by_name(update):
    action = update.add_object(dictionary(S=NAME("/JavaScript"), JS=TEXT("app.alert(1)")))
    update.root["/Names"]["/JavaScript"] = dictionary(Names=ARRAY([TEXT("x"), action]))
    update.update_container(update.root["/Names"])


def _field(update):
    update.annotate(
        "/Widget", FT=NAME("/Tx"), T=TEXT("U"), V=TEXT("0.01 K"), DA=TEXT("/Helv 9 Tf 0 g")
    )
    update.root["/AcroForm"]["/Fields"].append(update.page["/Annots"].raw_get(-1))
    update.update_container(update.root["/AcroForm"])


def _layer(update):
    group = update.add_object(dictionary(Type=NAME("/OCG"), Name=TEXT("true values")))
    update.draw(b"/OC /L BDC 1 1 1 rg 50 400 400 300 re f EMC")
    update.page["/Resources"]["/Properties"] = dictionary(L=group)
    update.set_root(
        "/OCProperties", dictionary(OCGs=ARRAY([group]), D=dictionary(ON=ARRAY([group])))
    )


def _font(update):
    """Draw the same letters with another font: 1 looks like 7, and reads as 1."""
    fonts = update.page["/Resources"]["/Font"]
    plain = update.add_object(
        dictionary(Type=NAME("/Font"), Subtype=NAME("/Type1"), BaseFont=NAME("/Courier"))
    )
    for name in list(fonts):
        fonts[name] = plain
    update.update_container(fonts)


def _glyphs(update):
    """Swap the program of a font, whose name and text stay."""
    fonts = update.page["/Resources"]["/Font"]
    font = fonts[next(iter(fonts))]["/DescendantFonts"][0]["/FontDescriptor"]
    key = "/FontFile3" if "/FontFile3" in font else "/FontFile2"
    font[key] = update.add_object(stream(bytes(font[key].data[::-1])))
    update.update_container(font)


def _reading(update):
    """Let the text that is taken out differ from what is drawn."""
    fonts = update.page["/Resources"]["/Font"]
    font = fonts[next(iter(fonts))]
    table = font["/ToUnicode"].data.replace(b"<0031>", b"<0037>")
    font["/ToUnicode"] = update.add_object(stream(table))
    update.update_container(font)


def _swap(name, content):
    def change(update):
        spec = update.attached(name)
        new = update.add_object(stream(content, Type=NAME("/EmbeddedFile")))
        spec["/EF"] = dictionary(F=new, UF=new)
        update.update_container(spec)

    return change


def _double(update):
    names = update.root["/Names"]["/EmbeddedFiles"]["/Names"]
    new = update.add_object(stream(b"{}", Type=NAME("/EmbeddedFile")))
    spec = dictionary(Type=NAME("/Filespec"), F=TEXT("certificate.json"),
                      UF=TEXT("certificate.json"), EF=dictionary(F=new))  # fmt: skip
    names.append(TEXT("certificate.json"))
    names.append(update.add_object(spec))
    update.update_container(names)


def _rename(update):
    spec = update.attached("input.json")
    spec["/F"] = spec["/UF"] = TEXT("other.json")
    update.update_container(spec)


def _new_page(update):
    leaf = update.add_object(
        dictionary(
            Type=NAME("/Page"),
            MediaBox=box(0, 0, 595, 842),
            Parent=update.root.raw_get("/Pages"),
            Contents=update.add_object(stream(b"0 0 m 9 9 l S")),
            Resources=dictionary(),
        )
    )
    pages = update.root["/Pages"]
    pages["/Kids"].append(leaf)
    pages["/Count"] = NUMBER(pages["/Count"] + 1)
    update.update_container(pages)


def _kids(order):
    def change(update):
        pages = update.root["/Pages"]
        kids = order(list(pages["/Kids"]))
        pages["/Kids"] = ARRAY(kids)
        pages["/Count"] = NUMBER(len(kids))
        update.update_container(pages)

    return change


def _of_page(name, value):
    def change(update):
        update.page[name] = value
        update.update_container(update.page)

    return change


def _metadata(update):
    new = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    update.set_root("/Metadata", update.add_object(stream(new, Type=NAME("/Metadata"))))


def _title(update):
    update.set_info(dictionary(Title=TEXT("Certificate of another")))


def _permissions(update):
    del update.root["/Perms"]
    update.update_root()


def _hidden(update):
    """Take the seal out of the form, so that no reader looks for it."""
    update.root["/AcroForm"]["/Fields"] = ARRAY()
    update.update_container(update.root["/AcroForm"])


UPDATES = {
    "text replaced": lambda u: u.draw(b"BT (0.010) Tj ET", alone=True),
    "white box over the result": lambda u: u.draw(b"1 1 1 rg 50 400 400 300 re f"),
    "number drawn over the result": lambda u: u.draw(b"0 0 m 9 400 l 20 20 m 5 5 l S"),
    "page appended": _new_page,
    "page taken away": _kids(lambda kids: kids[:-1]),
    "pages in another order": _kids(lambda kids: kids[::-1]),
    "first page twice": _kids(lambda kids: [kids[0], *kids]),
    "page cropped": _of_page("/CropBox", box(0, 400, 595, 842)),
    "page turned": _of_page("/Rotate", NUMBER(180)),
    "page enlarged by its unit": _of_page("/UserUnit", NUMBER(2)),
    "square over the result": lambda u: u.annotate("/Square", IC=box(1, 1, 1)),
    "free text over the result": lambda u: u.annotate("/FreeText", Contents=TEXT("0.010")),
    "stamp": lambda u: u.annotate("/Stamp", Name=NAME("/Approved")),
    "link over the address": lambda u: u.annotate(
        "/Link", A=dictionary(S=NAME("/URI"), URI=TEXT("https://evil.example/"))
    ),
    "redaction": lambda u: u.annotate("/Redact"),
    "form field": _field,
    "widget outside the form": lambda u: u.annotate("/Widget"),
    "script at opening": _script,
    "script by name": _script_by_name,
    "action of the document": lambda u: u.set_root("/AA", dictionary()),
    "optional layer": _layer,
    "font swapped": _font,
    "glyphs redrawn": _glyphs,
    "text reads otherwise than it is drawn": _reading,
    "document swapped": _swap("certificate.json", b"{}"),
    "readings swapped": _swap("input.json", b"{}"),
    "digital certificate swapped": _swap("dcc.xml", b"<a/>"),
    "code swapped": _swap("mark.txt", b"x.y"),
    "document doubled": _double,
    "attachment renamed": _rename,
    "metadata": _metadata,
    "title": _title,
    "language": lambda u: u.set_root("/Lang", TEXT("en")),
    "extensions": lambda u: u.set_root("/Extensions", dictionary()),
    "permissions taken away": _permissions,
    "seal hidden from the form": _hidden,
    "nothing but a new revision": lambda u: u.set_root("/X", NUMBER(1)),
}
FILE_GONE = {"document swapped", "document doubled"}


def updated(content: bytes, change) -> bytes:
    """Return the file with a change appended, as an editor saves it."""
    update = Update(io.BytesIO(content))
    change(update)
    out = io.BytesIO()
    update.write(out)
    return out.getvalue()


@pytest.mark.parametrize("name", UPDATES)
def test_a_change_appended_to_a_sealed_file_is_told(world, name):
    forged = updated(world.first.pdf, UPDATES[name])
    assert forged.startswith(world.first.pdf)
    expected = [step("file")] if name in FILE_GONE else [step("seal"), step("log")]
    need_refused(forged, world.evidence(world.first), *expected)


@pytest.mark.parametrize("name", UPDATES)
def test_a_change_in_place_of_the_seal_is_told(world, name):
    """The seal is cut off, and the change stands where it stood."""
    forged = updated(world.first.pages, CHANGES_OF_PAGES.get(name, UPDATES[name]))
    expected = [step("file")] if name in FILE_GONE else [step("seal"), step("log")]
    need_refused(forged, world.evidence(world.first), *expected)


def _new_form(update):
    update.annotate("/Widget", FT=NAME("/Tx"), T=TEXT("U"), V=TEXT("0.01 K"))
    fields = ARRAY([update.page["/Annots"].raw_get(-1)])
    update.set_root("/AcroForm", dictionary(Fields=fields))


CHANGES_OF_PAGES = {
    "form field": _new_form,
    "permissions taken away": lambda u: u.set_root("/Perms", dictionary()),
    "seal hidden from the form": lambda u: u.set_root("/AcroForm", dictionary(Fields=ARRAY())),
}


FOR_WHO_KNOWS_NO_SEAL = (
    "white box over the result",
    "link over the address",
    "text reads otherwise than it is drawn",
    "nothing but a new revision",
)


@pytest.mark.parametrize("name", FOR_WHO_KNOWS_NO_SEAL)
def test_a_genuine_code_inside_vouches_for_no_page(world, name):
    """Whoever has neither proof nor root is not told that a file is genuine by its code."""
    evidence = world.evidence()
    poor = replace(evidence, trust=replace(evidence.trust, roots=(), seals=()))
    for content in (world.first.pdf, world.first.pages):
        report = need_refused(updated(content, UPDATES[name]), poor, step("mark", "established"))
        assert report.verdict in ("cannot_tell", "invalid")
