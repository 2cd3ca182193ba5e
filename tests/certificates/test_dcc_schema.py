"""The schemas are known by what they say, kept whole or not at all, never fetched in passing."""

from __future__ import annotations

import http.server
import threading
from functools import partial

import pytest

from calib.adapters.schemas import fetch_schemas
from calib.certificates import dcc_schema
from calib.certificates.dcc_schema import SCHEMAS, files_under, install, is_installed, validate
from calib.certificates.dcc_writing import write_dcc
from instruments.errors import Refused, Unavailable
from tests.support import documents
from tests.support.dcc_documents import SCHEMAS as SHARED
from tests.support.dcc_documents import WITHOUT_SCHEMAS

needs_schemas = pytest.mark.skipif(not SHARED.is_dir(), reason=WITHOUT_SCHEMAS)


@needs_schemas
def test_a_folder_of_schemas_is_installed_and_validates(tmp_path):
    folder = tmp_path / "schemas"
    assert not is_installed(folder)
    install(files_under(SHARED), folder)
    assert is_installed(folder)
    assert {f.name for f in folder.iterdir()} == {schema.file for schema in SCHEMAS}
    xml = write_dcc(documents.forehead_certificate())
    assert validate(xml, folder) == ()
    broken = xml.replace(b"dcc:uniqueIdentifier", b"dcc:uniqueIdentity")
    found = validate(broken, folder)
    assert found[0].code == "dcc-against-schema"
    assert found[0].facts["line"] > 1


@needs_schemas
def test_a_changed_schema_is_not_known_and_nothing_is_written(tmp_path):
    contents = list(files_under(SHARED))
    changed = [c.replace(b'pattern value="3\\.3\\.0"', b'pattern value=".*"') for c in contents]
    assert changed != contents
    with pytest.raises(Refused) as caught:
        install(changed, tmp_path / "schemas")
    assert caught.value.code == "schemas-missing"
    assert "dcc-3.3.0.xsd" in str(caught.value)
    assert not (tmp_path / "schemas").exists()


@needs_schemas
def test_a_schema_changed_where_it_lies_is_not_used(tmp_path):
    install(files_under(SHARED), tmp_path)
    file = tmp_path / SCHEMAS[1].file
    file.write_bytes(file.read_bytes().replace(b"xs:double", b"xs:string"))
    assert not is_installed(tmp_path)
    with pytest.raises(Unavailable) as caught:
        validate(write_dcc(documents.forehead_certificate()), tmp_path)
    assert caught.value.code == "schemas-not-installed"


@needs_schemas
def test_where_a_schema_imports_from_does_not_matter_and_what_it_says_does():
    content = (SHARED / "v3.3.0" / "dcc.xsd").read_bytes()
    moved = content.replace(b"../dsi/v2.2.1.xsd", b"https://elsewhere.example/si.xsd")
    assert moved != content
    assert dcc_schema.recognised(moved) == dcc_schema.recognised(content) == SCHEMAS[0]
    assert dcc_schema.recognised(b"<!DOCTYPE a>" + content.split(b"?>", 1)[1]) is None
    assert dcc_schema.recognised(b"<a/>") is None
    assert dcc_schema.recognised(b"no xml") is None


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def served():
    handler = partial(_Quiet, directory=str(SHARED))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@needs_schemas
def test_schemas_are_fetched_from_the_address_of_the_first(served, tmp_path):
    install(fetch_schemas(f"{served}/v3.3.0/dcc.xsd"), tmp_path)
    assert is_installed(tmp_path)


@needs_schemas
def test_address_that_gives_nothing_says_so(served):
    with pytest.raises(Unavailable) as caught:
        list(fetch_schemas(f"{served}/v9/dcc.xsd"))
    assert caught.value.code == "schema-address-silent"


@pytest.mark.parametrize(
    "address", ["http://example.org/dcc.xsd", "file:///etc/hostname", "ftp://127.0.0.1/dcc.xsd"]
)
def test_address_that_is_not_https_is_refused(address):
    with pytest.raises(Refused) as caught:
        list(fetch_schemas(address))
    assert caught.value.code == "schema-address-open"
