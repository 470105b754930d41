"""Malformed configurations: one line per error, never a traceback, nothing written outside results/."""

import copy
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.workflow.harness import DIGITS, ROOT, Planner, copy_project
from workflow_scripts.common.errors import InputError
from workflow_scripts.planning.job_settings import write_page
from workflow_scripts.planning.locations import Locations
from workflow_scripts.planning.plan import Plan
from workflow_scripts.planning.products import all_products

EXAMPLES = 700
ENOUGH = 500
MAX_LINE_LENGTH = 2_000

Place = tuple[str | int, ...]
Change = tuple[str, Place, Any]


def merged(base: Any, overlay: Any) -> Any:
    if isinstance(base, dict) and isinstance(overlay, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in overlay.items()}}
    return overlay


def valid() -> dict[str, Any]:
    """Return the digits configuration with some blocks that it leaves to their defaults."""
    preset = yaml.safe_load((ROOT / DIGITS).read_text(encoding="utf-8"))
    further = {
        "datasets": {
            "mine": {
                "classes": ["cat", "dog"],
                "images": {"kind": "none"},
                "prompts": {
                    "domains": {"photo": ["a {}"]},
                    "heads": {"default": {"kind": "single", "template": "a {}"}},
                },
            }
        },
        "clips": {"hub-clip": {"kind": "hub", "repository": "timm/clip", "revision": "abc"}},
        "generators": {"again": {"checkpoint": {"kind": "shared", "generator": "digits-diffusion"}}},
        "evaluation": {"scoring": {"batch_size": 64}, "metrics": {"level": 0.9}},
    }
    whole: dict[str, Any] = merged(preset, further)
    whole["runs"].append(
        {"datasets": ["mine"], "sources": ["again"], "clips": ["digits-clip"], "methods": [], "seeds": [0, 1]}
    )
    return whole


VALID = valid()


def places(value: Any, prefix: Place = ()) -> Iterator[Place]:
    """Yield the place of every value, blocks included."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*prefix, name)
        yield from places(item, (*prefix, name))


PLACES = list(places(VALID))


def nested(levels: int) -> Any:
    value: Any = "bottom"
    for level in range(levels):
        value = [value] if level % 2 else {"deeper": value}
    return value


def circular() -> Any:
    samples: list[Any] = []
    samples.append(samples)
    return samples


def repeated() -> Any:
    """Return thirty lists that stand for two to the thirtieth values, as a few lines of YAML can."""
    value: Any = ["x"]
    for _ in range(15):
        value = [value, value, value, value]
    return value


HOSTILE_TEXTS = [
    "",
    " ",
    "x" * 10_000,
    "a\nruns: forged line",
    "a\r\x1b[31mred",
    "nul\0byte",
    "\u202egnp.exe",
    "line\u2028separator",
    "\ud800",
    "$(touch pwned)",
    "`touch pwned`",
    "; rm -rf /",
    "../../etc/passwd",
    "{wildcards.dataset}",
    "<script>alert(1)</script>",
    "٠.٥٠",
    "nobody",
]
HOSTILE_VALUES: list[Any] = [
    None,
    True,
    False,
    -1,
    0,
    2**31,
    10**30,
    10**5_000,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e400,
    -0.5,
    [],
    {},
    [[]],
    [None],
    {"a": {"b": [1, {"c": None}]}},
    {"x" * 10_000: 1},
    {"new\nline: forged": 1},
    {"\ud800": 1},
    {None: 1},
    {10**5_000: 1},
    {False: 1},
    {1.1: 1},
    {date(2024, 1, 1): 1},
    {("a", "b"): 1},
    nested(19),
    nested(5_000),
    circular(),
    repeated(),
    {"a", "b"},
    b"bytes",
    date(2024, 1, 1),
    object,
    *HOSTILE_TEXTS,
]
RANDOM_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    # By number: some of them cannot be shown when an example fails.
    st.tuples(st.just("plant"), st.sampled_from(PLACES), st.integers(0, len(HOSTILE_VALUES) - 1)),
    st.tuples(st.just("replace"), st.sampled_from(PLACES), RANDOM_VALUES),
    st.tuples(st.just("delete"), st.sampled_from(PLACES), st.none()),
    st.tuples(st.just("add"), st.sampled_from(PLACES), st.sampled_from(HOSTILE_TEXTS) | st.text(max_size=20)),
    st.tuples(st.just("rename"), st.sampled_from(PLACES), st.sampled_from(HOSTILE_TEXTS) | st.text(max_size=20)),
    st.tuples(st.just("move"), st.sampled_from(PLACES), st.sampled_from(PLACES)),
    st.tuples(st.just("wrap"), st.sampled_from(PLACES), st.booleans()),
)


def changed(config: dict[str, Any], change: Change) -> None:
    """Apply a change in place; a place that an earlier change took away is left alone."""
    kind, place, value = change
    try:
        holder = at(config, place[:-1])
        old = holder[place[-1]]
        if kind == "plant":
            holder[place[-1]] = HOSTILE_VALUES[value]
        elif kind == "replace":
            holder[place[-1]] = value
        elif kind == "delete":
            del holder[place[-1]]
        elif kind == "add":
            old[value] = 1
        elif kind == "rename":
            holder[value] = holder.pop(place[-1])
        elif kind == "move":
            holder[place[-1]] = copy.deepcopy(at(VALID, value))
        else:
            holder[place[-1]] = [old] if value else {"wrapped": old}
    except (KeyError, IndexError, TypeError, AttributeError):
        return


def at(config: Any, place: Place) -> Any:
    for part in place:
        config = config[part]
    return config


KEY = re.compile(rf"(configuration|{'|'.join(VALID)})(\..*)?: \S")
PLAIN = "this key is read as .*|.* is no value of a configuration|holds half a character .*|this number is too large"
UNKNOWN = re.compile(f".*: (unknown key|nested more than .*|{PLAIN})")
"""A key that nobody knows may look like anything."""


def assert_readable(message: str) -> None:
    """Assert that an error's lines are printable, of bearable length, distinct, and begin with a key."""
    lines = message.split("\n")
    assert len(set(lines)) == len(lines), message
    for line in lines:
        assert line.isprintable(), repr(line)
        assert 0 < len(line) < MAX_LINE_LENGTH, line[:300]
        assert KEY.match(line) or UNKNOWN.fullmatch(line), line
        assert "Traceback" not in line


def outcome(config: Any) -> str | None:
    """Return the message that refuses a configuration, or None where it is valid and can be planned."""
    try:
        plan = Plan(config)
    except InputError as error:
        return str(error)
    assert all_products(Locations(plan))
    assert write_page(plan, shared=()).canonical()
    return None


def test_the_start_is_valid() -> None:
    assert outcome(VALID) is None


def test_malformed_configurations_are_refused_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused: set[str] = set()
    tried = 0

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(CHANGES, min_size=1, max_size=3))
    def fuzz(changes: list[Change]) -> None:
        nonlocal tried
        config = copy.deepcopy(VALID)
        for change in changes:
            changed(config, change)
        message = outcome(config)
        if message is not None:
            assert_readable(message)
            tried += 1
            refused.add(message)

    fuzz()
    record_property("malformed configurations", tried)
    assert tried >= ENOUGH
    # Not the same few over and over.
    assert len(refused) >= ENOUGH // 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_every_value_refuses_what_no_value_is(place: Place) -> None:
    config = copy.deepcopy(VALID)
    changed(config, ("replace", place, b"bytes"))
    assert outcome(config) == f"{'.'.join(map(str, place))}: bytes is no value of a configuration"


LEAVES = [place for place in PLACES if not isinstance(at(VALID, place), dict | list) and place[-1] != "base_classes"]
"""A value of base_classes may be one of two things, and an error names both."""


@pytest.mark.parametrize("place", LEAVES, ids=lambda place: ".".join(map(str, place)))
def test_one_error_is_one_line(place: Place) -> None:
    config = copy.deepcopy(VALID)
    changed(config, ("replace", place, [{"new\nline": "wrong type"}]))
    message = outcome(config)
    assert message is not None
    assert_readable(message)
    assert "\n" not in message
    # Where several kinds of a block exist, the kind stands in the key too.
    named = message.split(": ")[0].split(".")
    assert (named[0], named[-1]) == (place[0], str(place[-1]))


@pytest.mark.parametrize("config", [None, [], "text", 1, {}, {1: 2}, {None: {}}, [("datasets", {})]])
def test_what_is_no_configuration_at_all(config: Any) -> None:
    message = outcome(config)
    assert message is not None
    assert_readable(message)


SAMPLE: dict[str, tuple[dict[str, Any], str]] = {
    "list for a map": ({"datasets": ["digits"]}, "datasets: "),
    "not a number": ({"methods": {"plain": {"learning_rate": float("nan")}}}, "methods.plain.learning_rate: "),
    "bytes": ({"report": {"title": b"\x00\xff"}}, "report.title: bytes is no value"),
    "date as a key": ({"generators": {date(2024, 1, 1): {}}}, "generators.2024-01-01.checkpoint: missing"),
    "bottomless": ({"evaluation": {"scoring": nested(40)}}, "nested more than 20 levels deep"),
    "forged line": ({"report": {"title": "a\nmethods: fine"}}, "report.title: holds control characters (U+000A)"),
    "forged key": ({"a\nmethods": 1}, r"a\nmethods: unknown key"),
    "long name": ({"methods": {"m" * 10_000: {"kind": "finetune"}}}, "should have at most 100 characters"),
    "shell in a name": ({"runs": [{"datasets": ["$(id)"], "sources": []}]}, "runs.0.datasets.0: "),
    "long path": ({"datasets": {"digits": {"classes_file": "x" * 900}}}, "datasets.digits.classes_file: xxx"),
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("fuzzed") / "project")


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    planner = Planner(tmp_path_factory.mktemp("planner"))
    yield planner
    planner.close()


@pytest.mark.parametrize("name", SAMPLE)
def test_snakemake_refuses_them_too(name: str, project: Path, planner: Planner) -> None:
    overlay, error = SAMPLE[name]
    before = sorted(project.rglob("*"))
    code, text = planner.text(project, overlay)
    assert code == 1
    assert "Traceback" not in text
    assert len([line for line in text.splitlines() if error in line]) == 1, text
    after = [path for path in sorted(project.rglob("*")) if "__pycache__" not in path.parts]
    assert [path for path in after if path not in before] == []
