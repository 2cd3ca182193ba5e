import importlib
import sys
from importlib.resources import files

import pytest

from instruments.catalogue.loader import Catalogue, load_catalogue
from instruments.errors import Invalid, NotFound

GLASS = "thermometer.glass_clinical"


def own(id_=GLASS, **changes):
    text = (files("instruments.catalogue.types") / f"{GLASS}.toml").read_text("utf-8")
    text = text.replace(f'id = "{GLASS}"', f'id = "{id_}"')
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """Install a wheel's worth of files: a package with type files and its metadata."""

    def install(name, *type_texts, package=None):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text('"""Types."""', encoding="utf-8")
        for index, text in enumerate(type_texts):
            (folder / f"type{index}.toml").write_text(text, encoding="utf-8")
        metadata = tmp_path / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8"
        )
        (metadata / "entry_points.txt").write_text(
            f"[calib.instrument_types]\n{name} = {package or name}\n", encoding="utf-8"
        )

    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    before = set(sys.modules)
    yield install
    for module in set(sys.modules) - before:
        if module.startswith("acme"):
            del sys.modules[module]


def test_installed_plug_in_brings_its_types(plug_in):
    without = load_catalogue()
    plug_in("acme_types", own("thermometer.acme"))
    catalogue = load_catalogue()
    assert "thermometer.acme" in catalogue
    assert "thermometer.acme" not in without
    assert len(catalogue) == len(without) + 1
    assert catalogue.get("thermometer.acme").measurands == catalogue.get(GLASS).measurands


def test_plug_in_may_bring_a_newer_version(plug_in):
    plug_in("acme_newer", own(v=('version = "1.1.0"', 'version = "1.10.0"')),
            own(v=('version = "1.1.0"', 'version = "1.9.0"')))  # fmt: skip
    catalogue = load_catalogue()
    assert catalogue.get(GLASS).version == "1.10.0"
    assert catalogue.get(GLASS, "1.1.0").version == "1.1.0"
    assert catalogue.versions(GLASS) == ("1.1.0", "1.9.0", "1.10.0")
    assert [t.version for t in catalogue.list() if t.id == GLASS] == ["1.10.0"]


def test_plug_in_may_not_replace_a_version(plug_in):
    plug_in("acme_clash", own(limit=('upper = "0.10"', 'upper = "0.50"')))
    with pytest.raises(Invalid) as refused:
        load_catalogue()
    (finding,) = refused.value.findings
    assert finding.code == "type-twice"
    assert "acme_clash/type0.toml" in finding.text()
    assert f"instruments.catalogue.types/{GLASS}.toml" in finding.text()


def test_broken_plug_in_names_its_file(plug_in):
    plug_in("acme_broken", own("thermometer.acme", r=("readings = 1 ", "readings = true ")))
    with pytest.raises(Invalid) as refused:
        load_catalogue()
    (finding,) = refused.value.findings
    assert finding.text().startswith("acme_broken/type0.toml, line ")
    assert "measurands[0].points.readings" in finding.text()


def test_plug_in_that_cannot_be_imported_is_named(plug_in):
    plug_in("acme_gone", own("thermometer.acme"), package="acme_nowhere")
    with pytest.raises(Invalid) as refused:
        load_catalogue()
    (finding,) = refused.value.findings
    assert finding.code == "type-plugin-broken"
    assert "acme_nowhere" in finding.text()


def test_folder_of_files_is_read_too(tmp_path):
    (tmp_path / "mine.toml").write_text(own("thermometer.mine"), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a type", encoding="utf-8")
    assert load_catalogue([tmp_path]).get("thermometer.mine").id == "thermometer.mine"


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(Invalid) as refused:
        load_catalogue([tmp_path / "nowhere"])
    assert refused.value.findings[0].code == "type-folder-missing"
    assert "nowhere" in str(refused.value)


def test_unknown_type_names_near_ones():
    with pytest.raises(NotFound, match=r"thermometer\.infrared_ear") as missing:
        load_catalogue().get("thermometer.infrared_eer")
    assert missing.value.code == "type-unknown"


def test_unknown_version_names_known_ones():
    with pytest.raises(NotFound, match=r"no version 9\.0\.0.*1\.1\.0") as missing:
        load_catalogue().get(GLASS, "9.0.0")
    assert missing.value.code == "type-version-unknown"


def test_digest_is_stable_and_follows_every_definition(tmp_path):
    first = load_catalogue()
    assert load_catalogue().digest() == first.digest()
    assert Catalogue(reversed(first.list())).digest() == first.digest()
    (tmp_path / "mine.toml").write_text(own("thermometer.mine"), encoding="utf-8")
    more = load_catalogue([tmp_path]).digest()
    (tmp_path / "mine.toml").write_text(
        own("thermometer.mine", limit=('upper = "0.10"', 'upper = "0.1"')), encoding="utf-8"
    )
    assert len({first.digest(), more, load_catalogue([tmp_path]).digest()}) == 3


def test_catalogue_refuses_the_same_version_twice():
    type_ = load_catalogue().get(GLASS)
    with pytest.raises(Invalid) as refused:
        Catalogue([type_, type_])
    assert refused.value.code == "type-twice"
