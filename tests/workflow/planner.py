"""A process that answers dry runs: Snakemake is imported once, every plan is made in a fork of its own.

Reads one JSON object per line ({"folder", "arguments", "output"}), writes the exit code of each as a line.
"""

import json
import os
import sys

import snakemake.cli


def answer(request: dict[str, object]) -> int:
    """Run snakemake with the request's arguments in a fork; return its exit code."""
    child = os.fork()
    if child == 0:
        output = os.open(str(request["output"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(str(request["folder"]))
        code = 0
        try:
            snakemake.cli.main(request["arguments"])
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


for line in sys.stdin:
    sys.stdout.write(f"{answer(json.loads(line))}\n")
    sys.stdout.flush()
