"""The graph: what it looks like, how large it may grow, and that parsing stays light."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.workflow.graph import FOLLOWS
from tests.workflow.harness import DIGITS, METHODS, ROOT, Planner, run


def test_the_rule_graph_is_as_drawn_by_hand(with_methods: Path) -> None:
    files = ("--configfile", str(with_methods / DIGITS), str(METHODS))
    text = run(with_methods, "--rulegraph", "mermaid-js", "--forceall", *files).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", text))
    edges = {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", text) if names[b] != "all"}
    edges = {(a, b) for a, b in edges if a != "all"}
    expected = {(a, b) for a, followers in FOLLOWS.items() for b in followers}
    assert edges == expected


def test_a_large_graph_is_planned(planner: Planner, tmp_path: Path) -> None:
    # 11 tasks x 5 methods x 3 seeds x 64 shards. How long it takes is measured in benchmarks/.
    names = [f"task{k}" for k in range(11)]
    dataset = {
        "classes": [f"class {k}" for k in range(10)],
        "images": {"kind": "none"},
        "prompts": {"domains": {"photo": ["a photo of a {}."]}},
    }
    generator = {"images_per_class": 64, "images_per_shard": 10}
    methods = {f"method{k}": {"kind": "finetune", "learning_rate": 0.001 * (k + 1)} for k in range(5)}
    block = {
        "datasets": names,
        "sources": ["digits-diffusion"],
        "clips": ["digits-clip"],
        "methods": list(methods),
        "seeds": [0, 1, 2],
    }
    overlay = {
        "datasets": dict.fromkeys(names, dataset),
        "generators": {"digits-diffusion": generator},
        "methods": methods,
        "runs": [block],
        "exports": [],
    }
    plan = planner.plan(ROOT, overlay, directory=tmp_path)
    assert plan["generate_images"] == 11 * 64
    assert plan["train_finetune"] == 11 * 5 * 3
    assert plan["score_images"] == 11 * 5 * 3


def test_parsing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from workflow_scripts.planning import plan, products, job_settings, code; "
        "print([name for name in ('torch', 'numpy', 'pandas', 'pyarrow', 'PIL') if name in sys.modules])"
    )
    completed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert completed.stdout.strip() == "[]"


def test_profiles_agree_on_what_provenance_depends_on() -> None:
    profiles = [yaml.safe_load(path.read_text()) for path in (ROOT / "profiles").glob("*/config.yaml")]
    assert {profile["max-checksum-file-size"] for profile in profiles} == {2000000000}
