"""What a manifest says of where a model pretrained here comes from, and of what it has seen."""

from typing import Any

from workflow_scripts.common.settings import Settings
from workflow_scripts.models.settings import Corpus


def pretrained_origin(settings: Settings, corpus: Corpus, *, images: int) -> dict[str, Any]:
    """Return the origin of a model that was trained here on a corpus."""
    total = sum(corpus.mixture_weights.values())
    mixture = ", ".join(f"{domain} {weight / total:.0%}" for domain, weight in corpus.mixture_weights.items())
    return {
        "kind": "pretrain",
        "settings": settings.model_dump(mode="json"),
        "seen": f"{images} captioned training images of {corpus.dataset} ({mixture}); no test image",
    }
