"""VL2V-ADiP: align a student's projection with a teacher's embeddings, distill into the student, predict with text."""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.clip import Clip, load_clip
from workflow_scripts.common.constants import HELD_OUT
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.entry_point import run
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from workflow_scripts.common.students import Architecture, ProjectedStudent, load_student
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.image_selection import image_loader, image_predicate, label_rows, load_training_sets
from workflow_scripts.training.loop import LogEntry, train
from workflow_scripts.training.outputs import Identity, begin, finish, training_parser
from workflow_scripts.training.vl2v.settings import Vl2vAdipJob
from workflow_scripts.training.vl2v.task import Vl2vTask, phase_schedule
from workflow_scripts.training.vl2v.teacher import EncoderTeacher, Teacher, table_teacher


def job(options: argparse.Namespace) -> None:
    """Decode the images, run both phases, and save the student with its projection and the text classifier."""
    settings = Vl2vAdipJob.parse(options.settings)
    zero_shot = load_head(options.zero_shot_head)
    sets = load_training_sets(options.images, zero_shot.classes)
    inputs = [*options.images, options.clip, options.zero_shot_head, options.student, *options.embeddings]
    identity = begin(settings, code=options.code, inputs=inputs, threads=options.threads, output=options.output)
    predicate = image_predicate(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    rows = label_rows(len(zero_shot.classes), settings.base)
    head = zero_shot.variants["pretrained"]
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        student, architecture = load_student(options.student, dimension=head["weight"].shape[1], seed=settings.seed)
        preprocessing = student_preprocessing(architecture, settings)
        load_images = image_loader(sets, preprocessing=preprocessing, predicate=predicate, threads=options.threads)
        images = load_images("training")
        task = Vl2vTask(
            model=student.to(device),
            settings=settings,
            images=images,
            held_out=load_images(HELD_OUT),
            head=head["weight"].to(device),
            label_rows=rows.to(device),
            trained_labels=(rows >= 0).nonzero()[:, 0].to(device),
            preprocessing=preprocessing,
            teacher=make_teacher(settings, images, options.embeddings, lambda: load_clip(options.clip, device=device)),
            device=device,
        )
        entries = align_and_distill(task, student, identity, settings=settings, device=device)
    described = encoder_metadata(preprocessing, student=architecture)
    save_encoder(options.output, student.state_dict(), metadata=described, identity=identity.values)
    save_head(options.output_head, {"pretrained": head}, classes=zero_shot.classes)
    finish(
        identity,
        entries=entries,
        images=task.images,
        held_out=task.held_out,
        device=device,
        training_log=options.training_log,
        metadata=options.metadata,
    )


def student_preprocessing(architecture: Architecture, settings: Vl2vAdipJob) -> Preprocessing:
    """Return how the student sees pictures: a square of its own size, under its own or ImageNet's constants.

    The release uses ImageNet's for every student, also where the checkpoint expects others.
    """
    constants = {"clip": (architecture.mean, architecture.std), "imagenet": (IMAGENET_MEAN, IMAGENET_STD)}
    mean, std = constants[settings.preprocessing]
    return Preprocessing(size=architecture.size, mean=mean, std=std, resize_mode="squash")


def make_teacher(settings: Vl2vAdipJob, images: DecodedImages, tables: list[Path], load: Callable[[], Clip]) -> Teacher:
    """Return the teacher: tables where there is no augmentation, else CLIP's frozen image encoder."""
    if settings.augmentation is None:
        return table_teacher(images, tables)
    clip = load()
    return EncoderTeacher(clip.visual.requires_grad_(False), clip.preprocessing.of_kind(settings.preprocessing))


def align_and_distill(
    task: Vl2vTask,
    student: ProjectedStudent,
    identity: Identity,
    *,
    settings: Vl2vAdipJob,
    device: torch.device,
) -> list[LogEntry]:
    """Train the projection alone, then the student alone; return the log entries of both phases."""
    entries: list[LogEntry] = []
    phases = (
        ("align", student.projection, student.backbone, settings.align, settings.align_averaging),
        ("distill", student.backbone, student.projection, settings.distill, settings.averaging),
    )
    for name, trained, frozen, phase, averaging in phases:
        frozen.requires_grad_(False)
        trained.requires_grad_(True)
        phase_entries = train(
            task,
            schedule=phase_schedule(phase, task.images, settings, name=name),
            optimizer=torch.optim.Adam(trained.parameters(), lr=phase.learning_rate, fused=True),
            averager=averager_of(averaging),
            checkpoint=identity.checkpoint(name),
            device=device,
        )
        # Steps and intervals of the second phase go on counting, so that the log reads as one training.
        steps = sum(line["kind"] == "step" for line in entries)
        intervals = 1 + entries[-1]["interval"] if entries else 0
        for line in phase_entries:
            later = {"step": line["step"] + steps} if "step" in line else {}
            entries.append({**line, "phase": name, "interval": line["interval"] + intervals, **later})
    return entries


def main() -> None:
    """Run from the command line."""
    parser = training_parser(__doc__)
    parser.add_argument("--student", type=Path, required=True, help="manifest of the student")
    parser.add_argument("--zero-shot-head", type=Path, required=True, help="the zero-shot head")
    parser.add_argument("--embeddings", type=Path, nargs="*", default=[], help="tables of the teacher's embeddings")
    parser.add_argument("--output", type=Path, required=True, help="trained student to write")
    parser.add_argument("--output-head", type=Path, required=True, help="head to write")
    run(job, parser)


if __name__ == "__main__":
    main()
