"""Texts of strangers in the files of a certificate: no element, key or action of their own."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import pikepdf
import pytest
from lxml import etree

from calib.certificates.dcc_compare import compare
from calib.certificates.dcc_writing import write_dcc
from calib.certificates.pdf import render
from instruments.errors import Refused
from instruments.text import LocalizedText
from tests.support.documents import digital_certificate, forehead_certificate
from tests.support.hostile_texts import TEMPLATES, XSS

TEXTS = [*XSS, *TEMPLATES]
ACTIONS = {"/JavaScript", "/JS", "/OpenAction", "/AA", "/Launch", "/RichMedia", "/SubmitForm"}


def bearing(document, text):
    """Return the certificate with the text wherever people write one."""
    both = LocalizedText(en=text, zh=text)
    return replace(
        document,
        lab=replace(document.lab, name=both, address=both, phone=text, email=text),
        customer=replace(document.customer, name=both, address=text, contact=text),
        item=replace(
            document.item, maker=text, model=text, serial=text, asset_number=text, condition=text
        ),
        place=replace(document.place, name=both, address=text),
        persons=tuple(replace(one, name=text, position=text) for one in document.persons),
        remarks=(text,),
    )


def tags(xml):
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.fromstring(xml, parser)
    assert root.getroottree().docinfo.doctype == ""
    found = (one for one in root.iter() if isinstance(one.tag, str))
    shape = Counter((one.tag, *sorted(one.attrib)) for one in found)
    return root, shape


def written(document):
    """Return what a PDF says of itself: the author, the shape of its metadata, keys, addresses."""
    with pikepdf.open(io.BytesIO(render(document, {}))) as pdf:
        xmp, shape = tags(pdf.Root.Metadata.read_bytes())
        keys, addresses = set(), set()
        for one in pdf.objects:
            if isinstance(one, (pikepdf.Dictionary, pikepdf.Stream)):
                keys |= set(one.keys())
                addresses |= {str(one["/URI"])} if "/URI" in one else set()
        names = sorted(pdf.attachments)
        said = str(pdf.docinfo["/Author"]), "".join(xmp.itertext())
    return said, shape, keys, addresses, names


@pytest.mark.parametrize("first", range(0, len(TEXTS), 13))
def test_the_pdf_says_of_itself_what_a_harmless_one_says(first):
    plain = forehead_certificate("en")
    _, shape, keys, addresses, names = written(bearing(plain, "x"))
    text = " | ".join(TEXTS[first : first + 13])
    try:
        found = written(bearing(plain, text))
    except Refused as stop:  # a letter that no font draws is named, not printed otherwise
        assert stop.code == "text-unprintable"  # noqa: PT017
        return
    (author, told), found_shape, found_keys, found_addresses, found_names = found
    assert author == text
    assert " ".join(text.split()) in " ".join(told.split())
    assert found_shape == shape
    assert found_keys <= keys | {"/ActualText", "/Alt", "/E"}
    assert not found_keys & ACTIONS
    assert (found_addresses, found_names) == (addresses, names)


def test_the_digital_certificate_has_the_elements_of_a_harmless_one():
    plain = digital_certificate("en")
    _, shape = tags(write_dcc(bearing(plain, "x")))
    for text in TEXTS:
        document = bearing(plain, text)
        content = write_dcc(document)
        root, found = tags(content)
        assert found == shape, text
        assert text in "\n".join(root.itertext()), text
        assert compare(document, content) == (), text
