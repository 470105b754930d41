"""What a manifest says of where an embedded model comes from, and of what it has seen."""

from typing import Any

from workflow_scripts.ground.settings import Settings
from workflow_scripts.models.settings import Corpus


def embedded_origin(settings: Settings, corpus: Corpus, *, images: int) -> dict[str, Any]:
    """Return the origin of a model that was trained here on a corpus."""
    total = sum(corpus.shares.values())
    shares = ", ".join(f"{domain} {share / total:.0%}" for domain, share in corpus.shares.items())
    return {
        "kind": "embedded",
        "settings": settings.model_dump(mode="json"),
        "seen": f"{images} captioned training images of {corpus.dataset} ({shares}); no test image",
    }
