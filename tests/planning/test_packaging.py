"""What is installed: the whole package with its data files, in the version that the changelog describes."""

import re
import tomllib
from typing import Any

from tests.workflow.harness import ROOT
from workflow_scripts.planning.code import PACKAGE


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_data_file_is_installed() -> None:
    packages = [path.parent for path in (ROOT / PACKAGE).rglob("__init__.py")]
    (patterns,) = project()["tool"]["setuptools"]["package-data"].values()
    installed = {path for package in packages for pattern in patterns for path in package.glob(pattern)}
    files = {path for path in (ROOT / PACKAGE).rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert len(files) > 4
    assert files == installed


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / PACKAGE).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_the_version_is_the_changelogs_latest() -> None:
    versions = re.findall(r"^## (\d\S*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert project()["project"]["version"] == versions[0]
