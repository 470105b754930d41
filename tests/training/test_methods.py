"""The registry of methods refuses a kind that would only fail later, by the name of its package."""

from typing import Any, ClassVar, Literal

import pytest

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Settings
from workflow_scripts.training.kind_checks import kind_errors
from workflow_scripts.training.method_settings import Input, Method, training_job
from workflow_scripts.training.methods import KINDS, PACKAGES, settings_of
from workflow_scripts.training.ogen.settings import Ogen


def kind(**values: Any) -> type[Method]:
    """Return a kind like OGEN that says something else of itself."""
    return type("Other", (Ogen,), {"__annotations__": dict.fromkeys(values, ClassVar[Any]), **values})


def test_every_kind_here_is_whole() -> None:
    assert [error for package in PACKAGES for error in kind_errors(package, KINDS[package])] == []


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"artifacts": ()}, "artifacts: must be a tuple of one or more names of files, each once"),
        ({"artifacts": "cache.safetensors"}, "artifacts: must be a tuple of one or more names of files, each once"),
        ({"artifacts": ("a.json", "a.json")}, "artifacts: must be a tuple of one or more names of files, each once"),
        ({"artifacts": ("metadata.json",)}, "artifacts: 'metadata.json' must be a plain name"),
        ({"artifacts": ("sub/a.json",)}, "artifacts: 'sub/a.json' must be a plain name"),
        ({"artifacts": ("../a.json",)}, "artifacts: '../a.json' must be a plain name"),
        ({"artifacts": ("{alpha}.json",)}, "artifacts: '{alpha}.json' must be a plain name"),
        ({"artifacts": ("photo",)}, "artifacts: 'photo' must be a plain name"),
        ({"artifacts": ("checkpoint-a.pt",)}, "artifacts: 'checkpoint-a.pt' must be a plain name"),
        ({"inputs": ("clip", "zero_shot_head")}, "inputs: 'zero_shot_head' is not one of images, clip, zero-shot-head"),
        ({"endpoints": ("pretrained", "pretrained")}, "endpoints: must be one of ('pretrained',), ('finetuned',), "),
        ({"endpoints": "finetuned"}, "endpoints: must be one of "),
        ({"classifier": "training.ogen.clasifier"}, "classifier: there is no module 'training.ogen.clasifier'"),
    ],
)
def test_what_a_kind_says_of_itself_is_checked(values: dict[str, Any], error: str) -> None:
    errors = list(kind_errors("ogen", kind(**values)))
    assert len(errors) == 1
    assert errors[0].startswith(f"training/ogen/settings.py: Other.{error}")


@pytest.mark.filterwarnings("ignore:Field name .* shadows an attribute")
def test_what_is_said_as_a_key_is_refused() -> None:
    class Other(Ogen):
        artifacts: tuple[str, ...] = ("a.json",)  # type: ignore[misc]
        errors: int = 1  # type: ignore[assignment]

    assert list(kind_errors("ogen", Other)) == [
        f"training/ogen/settings.py: Other.{name}: a name of Method's own; declare it as ClassVar, or choose another"
        for name in ("artifacts", "errors")
    ]


def test_a_package_that_is_not_whole_is_named() -> None:
    assert list(kind_errors("vl2v", Ogen)) == ["training/vl2v: no __main__.py"]
    assert list(kind_errors("nobody", Ogen)) == ["training/nobody: no __init__.py", "training/nobody: no __main__.py"]


def test_lines_of_the_registry_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"training\.finetuneogen\.settings: there is no such module"):
        settings_of(("finetuneogen",))
    with pytest.raises(InputError, match=r"training\.ogen\.settings: stands twice in its registry"):
        settings_of(("ogen", "ogen"))

    class Other(Ogen):
        kind: Literal["ogen"]

    refused = r"training\.vl2v_sd\.settings: its kind 'ogen' is that of training\.ogen\.settings; name another"
    monkeypatch.setattr("workflow_scripts.training.vl2v_sd.settings.SETTINGS", Other)
    with pytest.raises(InputError, match=refused):
        settings_of(("ogen", "vl2v_sd"))
    for wrong in (Settings, None):
        monkeypatch.setattr("workflow_scripts.training.vl2v_sd.settings.SETTINGS", wrong)
        with pytest.raises(InputError, match=r"training\.vl2v_sd\.settings: SETTINGS must be a subclass of Method"):
            settings_of(("vl2v_sd",))


def test_a_kind_without_a_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Method):
        inputs: ClassVar[tuple[Input, ...]] = ()

    monkeypatch.setattr("workflow_scripts.training.ogen.settings.SETTINGS", Other)
    with pytest.raises(InputError, match=r"training\.ogen\.settings: Other\.kind must be a Literal of one name"):
        settings_of(("ogen",))


def test_a_training_job_travels_whole() -> None:
    method = Ogen(kind="ogen", epochs=3)
    job = training_job(method, seed=1, base=(0, 2))
    assert type(job).parse(job.canonical()) == job
    assert job.model_dump()["method"]["epochs"] == 3
