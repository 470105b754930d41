"""Alt-text-like captions of a corpus: several templates and synonyms, some too general, some plainly wrong."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workflow_scripts.common.seeds import seed_of

_WORDS: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def templates(domain: str) -> list[str]:
    """Return the caption templates of a domain; a domain without its own says its name."""
    known: dict[str, list[str]] = _WORDS["templates"]
    return known.get(domain) or [text.replace("{domain}", domain) for text in known["other"]]


def words_of(dataset_kind: str, class_name: str) -> tuple[list[str], list[str]]:
    """Return what a class is called, and its broader categories; a data set without word list has its names only."""
    entry = _WORDS.get(dataset_kind, {}).get(class_name, {})
    names: list[str] = entry.get("names", [class_name.lower()])
    return names, entry.get("general", names)


def coarse_category(dataset_kind: str, class_name: str) -> str | None:
    """Return the broad category of a class, or None for a data set without word list."""
    category: str | None = _WORDS.get(dataset_kind, {}).get(class_name, {}).get("coarse")
    return category


def make_captions(
    labels: Sequence[int],
    *,
    classes: Sequence[str],
    dataset_kind: str,
    domain: str,
    general: float,
    wrong: float,
    seed: int,
) -> list[str]:
    """Return one caption per image of a domain.

    Args:
        labels: the images' classes.
        classes: class names in label order.
        dataset_kind: kind of data set, which names the word list.
        domain: the images' domain.
        general: share of captions with a broader category.
        wrong: share of captions that name another class.
        seed: seed of all choices.
    """
    generator = np.random.default_rng(seed_of("captions", dataset_kind, domain, seed))
    lines = templates(domain)
    kinds = generator.random(len(labels))
    shifts = generator.integers(1, max(2, len(classes)), len(labels))
    picks = generator.integers(0, 2**31, (len(labels), 2))
    captions = []
    for label, kind, shift, (which, line) in zip(labels, kinds, shifts, picks, strict=True):
        said = (label + int(shift)) % len(classes) if kind < wrong else label
        names, broader = words_of(dataset_kind, classes[said])
        choice = broader if wrong <= kind < wrong + general else names
        captions.append(lines[line % len(lines)].replace("{}", choice[which % len(choice)]))
    return captions
