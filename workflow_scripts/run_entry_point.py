"""How every rule starts its job: `python -P FOLDER/workflow_scripts/run_entry_point.py STAGE.ENTRY_POINT OPTIONS`.

The package is the one that this file lies in, wherever the working directory is and whatever copy is installed. Its
folder is not searched for other modules, nor is the working directory: a `numpy.py` of the user's in either is left
alone. The environment stays as it is, so that nothing has to be exported for the rules of other workflows too.
"""

import importlib.util
import runpy
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def main() -> None:
    """Import the package, and run the module of it that the first argument names as `python -m` does."""
    name = PACKAGE.name
    spec = importlib.util.spec_from_file_location(name, PACKAGE / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    runpy.run_module(f"{name}.{sys.argv.pop(1)}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
