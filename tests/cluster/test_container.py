"""The container's recipe says what the lock says; building it needs a registry, which no test has."""

import re

from tests.workflow.harness import ROOT

LINES = [line for line in (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
TEXT = "\n".join(LINES)


def test_the_base_is_pinned_and_new_enough() -> None:
    bases = re.findall(r"^FROM (\S+)$", TEXT, flags=re.MULTILINE)
    assert len(bases) == 1
    version = re.fullmatch(r"python:(\d+)\.(\d+)\.\d+-slim-bookworm", bases[0])
    assert version is not None, bases
    assert (int(version[1]), int(version[2])) >= (3, 11)


def test_it_installs_the_lock_and_nothing_else() -> None:
    assert re.findall(r"pip install .*", TEXT) == [
        "pip install --no-cache-dir --requirement /opt/nameonly/requirements.lock"
    ]
    copied = re.findall(r"^COPY (\S+) (\S+)$", TEXT, flags=re.MULTILINE)
    assert copied == [("requirements.lock", "/opt/nameonly/requirements.lock")]
    assert (ROOT / copied[0][0]).is_file()


def test_every_instruction_is_one_that_builders_know() -> None:
    joined = re.sub(r"\\\n", " ", TEXT)
    known = {"FROM", "RUN", "COPY", "ENV", "WORKDIR", "CMD"}
    assert {line.split()[0] for line in joined.splitlines() if line.strip()} == known
    assert "curl" not in TEXT
    assert ":latest" not in TEXT
