"""Pickers of a configuration that do not fit are refused before any job."""

from typing import Any

import pytest

from tests.workflow.harness import small_configuration
from workflow_scripts.common.errors import InputError
from workflow_scripts.planning.configuration import Configuration
from workflow_scripts.planning.validation import validated_configuration
from workflow_scripts.selection.pickers.oracle import Oracle

FIXED, ORACLE = {"kind": "fixed"}, {"kind": "oracle"}


def lines(**changes: Any) -> list[str]:
    try:
        validated_configuration({**small_configuration(), **changes})
    except InputError as error:
        return str(error).split("\n")
    return []


def test_without_pickers_there_are_a_fixed_alpha_and_the_oracle() -> None:
    configuration: Configuration = validated_configuration(small_configuration())
    assert {name: picker.kind for name, picker in configuration.pickers.items()} == {
        "fixed": "fixed",
        "oracle": "oracle",
    }
    assert configuration.pickers["fixed"].alpha == "0.50"


@pytest.mark.parametrize(
    ("pickers", "error"),
    [
        ({}, "pickers: Dictionary should have at least 1 item after validation, not 0 (given: {})"),
        (
            {"best": ORACLE, "fixed": FIXED},
            "pickers.best: the summary shows the first, and an oracle is no result; name",
        ),
        ({"0.5": FIXED}, "pickers.0.5: a number is no name of a picker: exports name alphas, too"),
        ({"1": FIXED}, "pickers.1: a number is no name of a picker: exports name alphas, too"),
        (
            {"half": {**FIXED, "alpha": 0.5}},
            "pickers.half.alpha: Input should be a valid string, in quotes (given: 0.5)",
        ),
        ({"half": {**FIXED, "alpha": "0.40"}}, "pickers.half.alpha: '0.40' is not one of alphas"),
        ({"half": {**FIXED, "alhpa": "0.50"}}, "pickers.half.alhpa: unknown key"),
        ({"a/b": FIXED}, "pickers.a/b: a name is made of letters, digits,"),
    ],
)
def test_each_error_is_one_line(pickers: dict[str, Any], error: str) -> None:
    (line,) = lines(pickers=pickers)
    assert line.startswith(error)


def test_default_pickers_that_do_not_fit_are_called_so() -> None:
    assert lines(alphas=["1.00"]) == [
        "pickers.fixed.alpha: '0.50' is not one of alphas; these are the default pickers, name your own"
    ]


def test_the_first_has_images_to_look_at_in_every_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Oracle, "looks_at", ("test-images",))
    assert lines(pickers={"sure": ORACLE}) == []
    config = small_configuration()
    bare = {"classes": ["a", "b"], "images": {"kind": "none"}, "prompts": {"domains": {"photo": ["a {}"]}}}
    block = {**config["runs"][0], "datasets": ["digits", "bare"]}
    changes = {"datasets": {**config["datasets"], "bare": bare}, "runs": [block], "exports": ["sure"]}
    assert lines(**changes, pickers={"sure": ORACLE}) == [
        "pickers.sure: the first looks at real test images, and dataset 'bare' has none",
        "exports: 'sure' looks at real test images, and dataset 'bare' has none",
    ]
