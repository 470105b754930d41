"""Learn the context of prompts with OGEN's feature generator, on frozen CLIP towers and images of base classes."""

from pathlib import Path
from typing import Any

import torch

from workflow_scripts.common.clip import load_clip
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.embedding_table import embeddings_of, read_embeddings
from workflow_scripts.training.image_selection import load_seen_images
from workflow_scripts.training.job import Training, TrainingInputs, TrainingPhase, training_main
from workflow_scripts.training.method_settings import TrainingJob
from workflow_scripts.training.ogen.class_statistics import class_statistics
from workflow_scripts.training.ogen.context import LearnedContext, save_context
from workflow_scripts.training.ogen.settings import CONTEXT, Ogen
from workflow_scripts.training.ogen.task import OgenTask, base_and_new_labels, make_model, schedule_of


def build(job: TrainingJob[Ogen], inputs: TrainingInputs) -> Training:
    """Put the frozen towers, the context and the generator together; both endpoints of the context are written."""
    settings, device = job.method, inputs.device
    clip = load_clip(inputs.clip, device=device)
    clip.model.requires_grad_(False)
    seen = load_seen_images(inputs.images, job, preprocessing=clip.preprocessing, threads=inputs.threads)
    classes = seen.training.classes
    base_labels, new_labels = base_and_new_labels(len(classes), job.base)
    features = embeddings_of(seen.training, [read_embeddings(path) for path in inputs.embeddings])
    model = make_model(clip, classes, settings, seed=job.seed)
    start = model.learner.context.detach().clone()
    task = OgenTask(
        model=model,
        clip=clip,
        settings=settings,
        seed=job.seed,
        seen=seen,
        statistics=class_statistics(
            features,
            seen.rows(seen.training, torch.arange(len(seen.training))),
            classes=[classes[label] for label in base_labels],
            device=device,
        ),
        base_labels=base_labels.to(device),
        new_labels=new_labels.to(device),
        device=device,
    )
    # One optimizer over context and generator, weight decay on both: so it is in the release.
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=settings.warmup_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    phase = TrainingPhase(
        task=task,
        schedule=schedule_of(settings, images=len(seen.training), seed=job.seed),
        optimizer=optimizer,
        averager=averager_of(settings.averaging),
    )

    def save(folder: Path, identity: dict[str, Any]) -> None:
        learned = LearnedContext(
            pretrained=start, finetuned=model.learner.context, words=settings.context_words, classes=classes
        )
        save_context(folder / CONTEXT, learned, identity=identity)

    return Training(phases=[phase], save=save, seen=seen)


if __name__ == "__main__":
    training_main(Ogen, build, __doc__)
