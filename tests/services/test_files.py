"""The file store: durable before it answers, never another content under the same name."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from instruments.errors import Unavailable

CONTENT = b"%PDF-1.7 a certificate"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def _file(tmp_path) -> Path:
    return tmp_path / "files" / SHA256[:2] / SHA256[2:]


def test_what_was_stored_comes_back(store, tmp_path):
    assert not store.has(SHA256)
    assert store.put(CONTENT) == SHA256
    assert store.put(CONTENT) == SHA256
    assert store.has(SHA256)
    assert store.get(SHA256) == CONTENT
    assert [p.name for p in _file(tmp_path).parent.iterdir()] == [SHA256[2:]]  # no draft left


def test_file_and_folder_are_synced_around_the_rename(store, monkeypatch):
    acts = []
    sync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda f: (acts.append(_kind(f)), sync(f)))
    monkeypatch.setattr(Path, "replace", lambda a, b: (acts.append("rename"), rename(a, b)))
    store.put(CONTENT)
    assert acts[-3:] == ["file", "rename", "folder"]
    acts.clear()
    store.put(CONTENT)  # the first writer may have died before syncing the folder
    assert acts == ["folder"]


def _kind(handle: int) -> str:
    return "folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file"


def test_a_missing_file_is_told(store):
    with pytest.raises(Unavailable) as refusal:
        store.get(SHA256)
    assert refusal.value.code == "file-missing"


def test_damaged_bytes_are_never_handed_out_and_may_be_stored_anew(store, tmp_path):
    store.put(CONTENT)
    _file(tmp_path).write_bytes(CONTENT + b"!")
    with pytest.raises(Unavailable) as refusal:
        store.get(SHA256)
    assert refusal.value.code == "file-damaged"
    store.put(CONTENT)
    assert store.get(SHA256) == CONTENT


def test_a_full_disk_leaves_nothing_behind(store, tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "files" / SHA256[:2]).mkdir()
    with pytest.raises(Unavailable, match="No space left"):
        store.put(CONTENT)
    assert list((tmp_path / "files" / SHA256[:2]).iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "", SHA256.upper(), SHA256 + "\n"])
def test_a_name_that_is_no_digest_never_reaches_the_disk(store, name):
    with pytest.raises(ValueError, match="no SHA-256"):
        store.get(name)
