"""Seeds that depend on what a thing is, never on when or where it is made."""

import hashlib
import json


def seed_of(*parts: str | int) -> int:
    """Return a seed in [0, 2**63) from a list of texts and numbers; another part or order gives another seed."""
    text = json.dumps(parts, ensure_ascii=False).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def image_seed(*, dataset: str, class_name: str, domain: str, index: int, base_seed: int) -> int:
    """Return the seed of one generated image's noise: the same in any shard, batch, order or machine count."""
    return seed_of(dataset, class_name, domain, index, base_seed)


def domainbed_seed(trial_seed: int, environment: int) -> int:
    """Return the seed of a domain's split (DomainBed's `seed_hash`): md5 of the two numbers.

    Args:
        trial_seed: of the whole experiment.
        environment: number of the domain among the sorted folder names.
    """
    text = str((trial_seed, environment))
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), 16) % 2**31
