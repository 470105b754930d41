"""Files that come along: found wherever nameonly lies, and named the same in whatever is written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.harness import ROOT
from workflow_scripts.common.bundled import located, portable
from workflow_scripts.common.manifests import read_manifest, verified_model_folder, write_model_manifest
from workflow_scripts.models.settings import FolderCheckpoint


def test_a_path_of_ours_is_found_and_written_short() -> None:
    assert located("nameonly:assets/icons/clip") == str(ROOT / "assets/icons/clip")
    assert portable(str(ROOT / "assets/icons/clip")) == "nameonly:assets/icons/clip"
    for other in ("assets/icons/clip", "/data/clip", f"{ROOT}-2/clip", str(ROOT)):
        assert located(other) == other
        assert portable(other) == other


def test_settings_hold_the_path_and_write_the_short_form() -> None:
    checkpoint = FolderCheckpoint.parse('{"kind": "folder", "path": "nameonly:assets/icons/clip"}')
    assert checkpoint.path == str(ROOT / "assets/icons/clip")
    assert json.loads(checkpoint.canonical())["path"] == "nameonly:assets/icons/clip"
    assert FolderCheckpoint.parse(checkpoint.canonical()) == checkpoint


def test_a_manifest_finds_our_files_beside_another_checkout(tmp_path: Path) -> None:
    manifest, folder = tmp_path / "manifest.json", ROOT / "assets/icons"
    write_model_manifest(manifest, folder=folder, names=["nouns.txt"], origin={})
    assert read_manifest(manifest)["folder"] == "nameonly:assets/icons"
    assert verified_model_folder(manifest) == folder
    moved = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "workflow_scripts", moved / "workflow_scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (moved / "assets/icons").mkdir(parents=True)
    shutil.copy(folder / "nouns.txt", moved / "assets/icons")
    code = "from workflow_scripts.common.manifests import *; print(verified_model_folder(Path('manifest.json')))"
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, 'elsewhere'); {code}"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.stdout.strip() == str(moved / "assets/icons"), result.stderr


def test_what_does_not_come_along_is_named_with_its_path() -> None:
    assert FolderCheckpoint(kind="folder", path="nameonly:nothing").path == str(ROOT / "nothing")


@pytest.mark.parametrize(
    "text", ["nameonly:", "nameonly:.", "nameonly:/etc", "nameonly:../x", "nameonly:assets/../../x"]
)
def test_a_path_of_ours_stays_in_our_folder(text: str) -> None:
    with pytest.raises(ValueError, match=f"{text}: names no file of nameonly's folder; leave nameonly: out"):
        FolderCheckpoint(kind="folder", path=text)
