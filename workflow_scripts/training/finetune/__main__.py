"""Fine-tune a CLIP's image encoder and its zero-shot head on images, plain or with RegFT's regularizer."""

from pathlib import Path
from typing import Any

from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.run_files import ENCODER, HEAD
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.finetune.settings import Finetune
from workflow_scripts.training.finetune.task import FinetuneTask, optimizer_of, schedule_of
from workflow_scripts.training.heads import ImageClassifier, LinearHead, trained_rows, whole_head
from workflow_scripts.training.image_selection import load_seen_images
from workflow_scripts.training.job import Training, TrainingInputs, TrainingPhase, training_main
from workflow_scripts.training.method_settings import TrainingJob


def build(job: TrainingJob[Finetune], inputs: TrainingInputs) -> Training:
    """Put encoder and zero-shot head together; both are trained, or the head alone, and written."""
    settings = job.method
    zero_shot = load_head(inputs.zero_shot_head)
    start = zero_shot.endpoints["pretrained"]
    clip = load_clip(inputs.clip, device=inputs.device)
    seen = load_seen_images(
        inputs.images, job, preprocessing=clip.preprocessing, threads=inputs.threads, classes=zero_shot.classes
    )
    task = FinetuneTask(
        model=ImageClassifier(clip.visual, LinearHead(**trained_rows(start, job.base))).to(inputs.device),
        settings=settings,
        seed=job.seed,
        seen=seen,
        preprocessing=clip.preprocessing,
        device=inputs.device,
    )
    phase = TrainingPhase(
        task=task,
        schedule=schedule_of(settings, images=len(seen.training), seed=job.seed),
        optimizer=optimizer_of(task.model, settings),
        averager=averager_of(settings.averaging),
    )

    def save(folder: Path, identity: dict[str, Any]) -> None:
        encoder = task.model.encoder.state_dict()
        save_encoder(folder / ENCODER, encoder, metadata=encoder_metadata(clip.preprocessing), identity=identity)
        finetuned = whole_head(start, task.model.head.state_dict(), job.base)
        save_head(folder / HEAD, {"pretrained": start, "finetuned": finetuned}, classes=zero_shot.classes)

    return Training(phases=[phase], save=save, seen=seen)


if __name__ == "__main__":
    training_main(Finetune, build, __doc__)
