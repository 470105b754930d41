"""VL2V-SD: self-distillation of CLIP's image encoder towards text embeddings, near its own frozen copy."""

import argparse
import copy
from pathlib import Path

import torch

from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.constants import HELD_OUT
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.entry_point import run
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.image_selection import image_loader, image_predicate, label_rows, load_training_sets
from workflow_scripts.training.loop import train
from workflow_scripts.training.outputs import begin, finish, training_parser
from workflow_scripts.training.vl2v.settings import Vl2vSdJob
from workflow_scripts.training.vl2v.task import Vl2vTask, phase_schedule
from workflow_scripts.training.vl2v.teacher import EncoderTeacher


def job(options: argparse.Namespace) -> None:
    """Decode the images, train the encoder, and save it with the zero-shot head as it was."""
    settings = Vl2vSdJob.parse(options.settings)
    zero_shot = load_head(options.zero_shot_head)
    sets = load_training_sets(options.images, zero_shot.classes)
    inputs = [*options.images, options.clip, options.zero_shot_head]
    identity = begin(settings, code=options.code, inputs=inputs, threads=options.threads, output=options.output)
    predicate = image_predicate(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    rows = label_rows(len(zero_shot.classes), settings.base)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        preprocessing = clip.preprocessing.of_kind(settings.preprocessing)
        load_images = image_loader(sets, preprocessing=preprocessing, predicate=predicate, threads=options.threads)
        task = Vl2vTask(
            model=clip.visual,
            settings=settings,
            images=load_images("training"),
            held_out=load_images(HELD_OUT),
            head=zero_shot.variants["pretrained"]["weight"].to(device),
            label_rows=rows.to(device),
            trained_labels=(rows >= 0).nonzero()[:, 0].to(device),
            preprocessing=preprocessing,
            teacher=EncoderTeacher(copy.deepcopy(clip.visual).requires_grad_(False), preprocessing),
            device=device,
        )
        entries = train(
            task,
            schedule=phase_schedule(settings.training, task.images, settings, name="self-distillation"),
            optimizer=torch.optim.Adam(task.model.parameters(), lr=settings.training.learning_rate, fused=True),
            averager=averager_of(settings.averaging),
            checkpoint=identity.checkpoint(),
            device=device,
        )
    described = encoder_metadata(preprocessing)
    save_encoder(options.output, task.model.state_dict(), metadata=described, identity=identity.values)
    heads = {"pretrained": zero_shot.variants["pretrained"]}
    save_head(options.output_head, heads, classes=zero_shot.classes)
    finish(
        identity,
        entries=entries,
        images=task.images,
        held_out=task.held_out,
        device=device,
        training_log=options.training_log,
        metadata=options.metadata,
    )


def main() -> None:
    """Run from the command line."""
    parser = training_parser(__doc__)
    parser.add_argument("--zero-shot-head", type=Path, required=True, help="the zero-shot head")
    parser.add_argument("--output", type=Path, required=True, help="trained image encoder to write")
    parser.add_argument("--output-head", type=Path, required=True, help="head to write")
    run(job, parser)


if __name__ == "__main__":
    main()
