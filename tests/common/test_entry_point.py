"""What an entry point says of a file that it was given and that is not there, and of what it did not expect."""

import subprocess
import sys
from pathlib import Path

from tests.workflow.harness import ROOT

SCRIPT = """
import sys
from pathlib import Path
from workflow_scripts.common.entry_point import entry_parser, run

parser = entry_parser("a job")
parser.add_argument("--images", type=Path, nargs="+")
run(lambda options: Path(sys.argv[-1]).read_bytes(), parser, sys.argv[1:-1])
"""


def said_on_reading(path: str, folder: Path) -> list[str]:
    """Return the lines that a job logs that was given no/manifest.json and reads a path."""
    command = [sys.executable, "-c", SCRIPT, "--images", "no/manifest.json", path]
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr.splitlines()


def test_a_given_file_that_is_missing_is_named_in_one_line(tmp_path: Path) -> None:
    (line,) = said_on_reading("no/manifest.json", tmp_path)
    assert line.endswith(f" no/manifest.json: missing; a relative path counts from {tmp_path}")


def test_another_file_that_is_missing_is_a_fault_of_ours(tmp_path: Path) -> None:
    assert "Traceback (most recent call last):" in said_on_reading("no/other.json", tmp_path)
