"""Images per second of generation, training and scoring on a GPU, switch by switch, and their share of its peak.

Run from the project's folder: `.venv/bin/python benchmarks/gpu.py` (six minutes on an H100). Networks have the sizes of
Stable Diffusion 1.5 and of CLIP ViT-B/16 and random weights, pictures are noise; sampling, training loop and scoring
are the project's own. Switches that the project does not have yet are put on the networks from outside. The first row
of each part is what the project does when nothing is set. A row's share is that of a large matrix product of its own
precision, measured on the same GPU; float32 rows go beyond it where their convolutions round to TF32.

Printed is a table; results/bench/gpu.json has the same figures and is written anew after every row. Without a GPU only
`--size tiny` runs: it shows that every row can be measured, and its times mean nothing.
"""

import argparse
import contextlib
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import diffusers
import numpy as np
import open_clip
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from open_clip.model import CLIP
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from workflow_scripts.common.devices import DTYPES, autocast, claimed_device, environment_metadata
from workflow_scripts.common.files import write_json
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.ensembling.linear_classifier import InterpolatedWeights, LinearClassifier
from workflow_scripts.ensembling.weight_averaging import LastWeights
from workflow_scripts.evaluation.score_table import score_batches
from workflow_scripts.generation.drawers.diffusers_pipeline import draw_batch
from workflow_scripts.generation.prompt_embeddings import EncodedPrompts
from workflow_scripts.generation.requests import Request
from workflow_scripts.generation.settings import Sampling
from workflow_scripts.models.denoiser import make_scheduler
from workflow_scripts.training.finetune.settings import Finetune
from workflow_scripts.training.finetune.task import FinetuneTask
from workflow_scripts.training.heads import ImageClassifier, LinearHead
from workflow_scripts.training.image_selection import SeenImages, label_rows
from workflow_scripts.training.loop import Schedule, train

ALPHA = "1.00"
PROMPT = "a photo"
STAGES = ("none", "blocks", "full")
"""What is compiled, and the order in which rows are measured: what takes longest comes last."""


@dataclass(frozen=True, kw_only=True)
class Switches:
    """How a network is run. The defaults are what the project does today when nothing is set."""

    precision: Literal["fp32", "fp16", "bf16"] = "fp32"
    tf32: Literal["none", "convolutions", "all"] = "convolutions"
    """Which float32 operations may round to TF32; torch's own default is convolutions."""
    channels_last: bool = False
    compiled: Literal["none", "blocks", "full"] = "none"
    deterministic: bool = True
    """Whether kernels must repeat their results; if not, cuDNN also tries which of its own is the fastest."""
    filled: bool = True
    """Whether torch fills new memory before it is written, as it does with deterministic kernels unless told not to."""
    network_alone: bool = False
    """Whether the input lies on the GPU and nothing but the network runs."""

    @property
    def name(self) -> str:
        """Return what tells the row from others."""
        words = {"convolutions": self.precision, "all": "tf32", "none": f"{self.precision} without tf32"}
        parts = [words[self.tf32]]
        parts += ["channels-last"] if self.channels_last else []
        parts += [f"compiled {self.compiled}"] if self.compiled != "none" else []
        parts += [] if self.deterministic else ["any kernels"]
        parts += [] if self.filled else ["memory not filled"]
        parts += ["network alone"] if self.network_alone else []
        return ", ".join(parts)

    @property
    def peak(self) -> str:
        """Return the precision whose matrix product is the row's peak."""
        return "tf32" if self.tf32 == "all" else self.precision


FP32, BF16 = Switches(), Switches(precision="bf16")
TF32 = Switches(tf32="all")
PEAKS = {"fp32": Switches(tf32="none"), "tf32": TF32, "fp16": Switches(precision="fp16"), "bf16": BF16}

GENERATION = (
    FP32,
    Switches(tf32="none"),
    TF32,
    Switches(precision="fp16"),
    BF16,
    replace(BF16, channels_last=True),
    replace(BF16, filled=False),
    replace(BF16, channels_last=True, filled=False),
    replace(BF16, deterministic=False),
    replace(BF16, channels_last=True, deterministic=False),
    replace(BF16, compiled="blocks"),
    replace(BF16, channels_last=True, compiled="full"),
)
DECODING = (
    FP32,
    BF16,
    replace(BF16, filled=False),
    replace(BF16, channels_last=True, deterministic=False),
)
ENCODER = (
    FP32,
    TF32,
    BF16,
    replace(BF16, channels_last=True),
    replace(BF16, filled=False),
    replace(BF16, deterministic=False),
    replace(BF16, network_alone=True),
    replace(BF16, compiled="blocks"),
    replace(BF16, compiled="full"),
    replace(BF16, compiled="full", filled=False),
    replace(BF16, compiled="full", deterministic=False),
    replace(BF16, compiled="full", network_alone=True),
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """Sizes of networks and batches, and how long each row is measured."""

    unet: Mapping[str, Any]
    autoencoder: Mapping[str, Any]
    clip: Mapping[str, Any]
    picture: int
    """Height and width of a generated picture."""
    tokens: int
    """Tokens of a prompt."""
    steps: int
    """Denoising steps of a picture."""
    classes: int
    generation_batch: int
    training_batch: int
    scoring_batch: int
    matrix: int
    """Rows and columns of the matrices whose product is the peak."""
    calls: int
    """Calls of a row that are measured at most, after one or two that are not."""
    seconds: float
    """Time after which no further call of a row is begun."""
    backend: str
    """What compiles."""


def autoencoder(*channels: int, groups: int) -> dict[str, Any]:
    """Return the configuration of Stable Diffusion's autoencoder over some channels."""
    return {
        "block_out_channels": channels,
        "down_block_types": ("DownEncoderBlock2D",) * len(channels),
        "up_block_types": ("UpDecoderBlock2D",) * len(channels),
        "layers_per_block": 2,
        "norm_num_groups": groups,
    }


def unet(*channels: int, width: int, groups: int) -> dict[str, Any]:
    """Return the configuration of Stable Diffusion's UNet over some channels: no attention at the lowest level."""
    attended = len(channels) - 1
    return {
        "block_out_channels": channels,
        "down_block_types": ("CrossAttnDownBlock2D",) * attended + ("DownBlock2D",),
        "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * attended,
        "cross_attention_dim": width,
        "norm_num_groups": groups,
    }


FULL = Size(
    # Stable Diffusion 1.5, unet/config.json and vae/config.json; what is not named is diffusers' default.
    unet=unet(320, 640, 1280, 1280, width=768, groups=32),
    autoencoder=autoencoder(128, 256, 512, 512, groups=32),
    clip=open_clip.get_model_config("ViT-B-16"),
    picture=512,
    tokens=77,
    steps=25,
    classes=1000,
    generation_batch=16,
    training_batch=128,
    scoring_batch=256,
    matrix=8192,
    calls=12,
    seconds=4.0,
    backend="inductor",
)
TINY = Size(
    unet=unet(32, 64, width=16, groups=8),
    autoencoder=autoencoder(8, 16, groups=4),
    clip={
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 8, "vocab_size": 16, "width": 16, "heads": 2, "layers": 1},
    },
    picture=32,
    tokens=4,
    steps=2,
    classes=10,
    generation_batch=2,
    training_batch=4,
    scoring_batch=4,
    matrix=64,
    calls=1,
    seconds=0.0,
    backend="eager",
)
SIZES = {"full": FULL, "tiny": TINY}


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of one call after the other, each over so many images."""

    images: int
    first: float
    """Of the call before all others, in which kernels are loaded and networks compiled."""
    later: list[float]

    @property
    def images_per_second(self) -> float:
        """Return the rate of the median call."""
        return self.images / statistics.median(self.later)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one combination of switches gave."""

    part: str
    switches: str
    images_per_second: float
    ratio: float
    """To the first row of the part."""
    teraflops: float
    """Operations per second, in 10^12; multiplication and addition are two."""
    share_of_peak: float
    first_call_seconds: float
    gigabytes: float
    """Largest memory in use on the GPU, in 10^9 bytes; 0 on the CPU."""


def make_row(
    part: str, switches: Switches, timing: Timing, *, flops: float, peak: float, base: float, memory: int
) -> Row:
    """Return a row's figures.

    Args:
        part: generation, training or scoring.
        switches: of the row.
        timing: of its calls.
        flops: operations per image.
        peak: operations per second of the matrix product.
        base: images per second of the part's first row.
        memory: bytes.
    """
    rate = timing.images_per_second
    return Row(
        part=part,
        switches=switches.name,
        images_per_second=rate,
        ratio=rate / base,
        teraflops=rate * flops / 1e12,
        share_of_peak=rate * flops / peak,
        first_call_seconds=timing.first,
        gigabytes=memory / 1e9,
    )


@contextlib.contextmanager
def switched(switches: Switches) -> Iterator[None]:
    """Set what torch keeps for the whole process, and set it back."""
    cudnn, kernels = torch.backends.cudnn, cast(Any, torch.utils.deterministic)
    precision, before = torch.get_float32_matmul_precision(), (cudnn.allow_tf32, cudnn.benchmark)
    deterministic, filled = torch.are_deterministic_algorithms_enabled(), kernels.fill_uninitialized_memory
    torch.set_float32_matmul_precision("high" if switches.tf32 == "all" else "highest")
    cudnn.allow_tf32, cudnn.benchmark = switches.tf32 != "none", not switches.deterministic
    torch.use_deterministic_algorithms(switches.deterministic, warn_only=True)
    kernels.fill_uninitialized_memory = switches.filled
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)
        cudnn.allow_tf32, cudnn.benchmark = before
        torch.use_deterministic_algorithms(deterministic, warn_only=True)
        kernels.fill_uninitialized_memory = filled


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has done all that it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(call: Callable[[], object], device: torch.device) -> float:
    """Return the seconds that a call takes."""
    wait_for(device)
    start = time.perf_counter()
    call()
    wait_for(device)
    return time.perf_counter() - start


def repeated(call: Callable[[], object], *, first: float, images: int, size: Size, device: torch.device) -> Timing:
    """Time a call again and again, once at least, until enough is known of it."""
    later: list[float] = []
    while not later or (len(later) < size.calls and sum(later) < size.seconds):
        later.append(seconds_of(call, device))
    return Timing(images=images, first=first, later=later)


def switch_on(network: nn.Module, switches: Switches, *, compile_blocks: Callable[..., None], size: Size) -> None:
    """Lay out and compile a network; shapes do not change, so that each is compiled for its own."""
    options: dict[str, Any] = {"dynamic": False, "backend": size.backend}
    if switches.channels_last:
        network.to(memory_format=torch.channels_last)
    if switches.compiled == "blocks":
        compile_blocks(**options)
    elif switches.compiled == "full":
        network.compile(**options)


# Generation.


def make_pipeline(size: Size, switches: Switches, device: torch.device) -> Any:
    """Return a pipeline of random weights without a text encoder: prompts come encoded."""
    with device:
        networks = UNet2DConditionModel(**size.unet), AutoencoderKL(**size.autoencoder)
    denoiser, decoder = (network.to(DTYPES[switches.precision]).eval() for network in networks)
    switch_on(denoiser, switches, compile_blocks=denoiser.compile_repeated_blocks, size=size)
    if switches.channels_last:
        decoder.to(memory_format=torch.channels_last)
    pipeline = StableDiffusionPipeline(
        vae=decoder,
        text_encoder=None,
        tokenizer=None,
        unet=denoiser,
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(pipeline: Any, size: Size, *, images: int, steps: int) -> None:
    """Generate one batch, guided, as the workflow does."""
    settings = Sampling(steps=steps, size=size.picture)
    shape = (1, size.tokens, size.unet["cross_attention_dim"])
    generator = torch.Generator().manual_seed(0)
    embeddings = {
        name: torch.randn(shape, generator=generator).to(pipeline.device, pipeline.unet.dtype)
        for name in ("prompt_embeds", "negative_prompt_embeds")
    }
    batch = [Request(label=0, class_name="c", index=index, prompt=PROMPT, seed=index) for index in range(images)]
    draw_batch(pipeline, EncodedPrompts({PROMPT: 0}, embeddings, None), batch, settings)


def latents_of(pipeline: Any, size: Size, *, images: int) -> Tensor:
    """Return random latents of so many pictures."""
    side = size.picture // pipeline.vae_scale_factor
    latents: Tensor = torch.randn(images, 4, side, side, device=pipeline.device).to(pipeline.vae.dtype)
    return latents


def time_generation(size: Size, switches: Switches, device: torch.device) -> Timing:
    """Time whole batches; the first call has two steps, which is enough to compile."""
    pipeline, images = make_pipeline(size, switches, device), size.generation_batch
    first = seconds_of(lambda: draw(pipeline, size, images=images, steps=2), device)
    call = partial(draw, pipeline, size, images=images, steps=size.steps)
    return repeated(call, first=first, images=images, size=size, device=device)


def generation_flops(size: Size, device: torch.device) -> float:
    """Return the operations of one picture: those of its steps, counted from one and two, and those of its decoding."""
    pipeline = make_pipeline(size, BF16, device)
    one, two = (counted(partial(draw, pipeline, size, images=1, steps=steps)) for steps in (1, 2))
    return one + (size.steps - 1) * (two - one)


@torch.no_grad()
def decode(pipeline: Any, latents: Tensor) -> None:
    """Decode a batch of latents, which is a part of generating it."""
    pipeline.vae.decode(latents)


def time_decoding(size: Size, switches: Switches, device: torch.device) -> Timing:
    """Time batches of latents that lie on the GPU; the pictures stay there too."""
    pipeline, images = make_pipeline(size, switches, device), size.generation_batch
    call = partial(decode, pipeline, latents_of(pipeline, size, images=images))
    return repeated(call, first=seconds_of(call, device), images=images, size=size, device=device)


def decoding_flops(size: Size, device: torch.device) -> float:
    """Return the operations of decoding one picture."""
    pipeline = make_pipeline(size, BF16, device)
    return counted(partial(decode, pipeline, latents_of(pipeline, size, images=1)))


def counted(call: Callable[[], object]) -> float:
    """Return the operations of a call: those of matrix products, convolutions and attention."""
    with FlopCounterMode(display=False) as counter:
        call()
    return float(counter.get_total_flops())


# Training and scoring.


def make_encoder(size: Size, switches: Switches, device: torch.device) -> nn.Module:
    """Return an image encoder of random weights."""
    with device:
        encoder: Any = CLIP(**size.clip).visual

    def compile_blocks(**options: Any) -> None:
        for block in encoder.transformer.resblocks:
            block.compile(**options)

    switch_on(encoder, switches, compile_blocks=compile_blocks, size=size)
    visual: nn.Module = encoder
    return visual


def make_head(size: Size, device: torch.device) -> LinearHead:
    """Return a head of random weights."""
    return LinearHead(torch.randn(size.classes, size.clip["embed_dim"])).to(device)


def noise(size: Size, count: int) -> DecodedImages:
    """Return pictures of noise, as decoded ones lie in memory."""
    side = preprocessing(size).size
    numbers = np.arange(count)
    return DecodedImages(
        pixels=np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8),
        labels=numbers % size.classes,
        index=numbers // size.classes,
        domain=np.zeros(count, dtype=np.int64),
        image_id=tuple(map(str, numbers)),
        domains=("photo",),
        classes=tuple(f"class {number}" for number in range(size.classes)),
        left_out=0,
    )


def preprocessing(size: Size) -> Preprocessing:
    """Return how the encoder sees pictures."""
    return Preprocessing(size=size.clip["vision_cfg"]["image_size"], mean=(0.5,) * 3, std=(0.5,) * 3)


class MeasuredError(Exception):
    """Leaves the training loop once enough steps are timed."""


@dataclass
class Stopwatch(LastWeights):
    """An averager that averages nothing: it sees the time after every step, and ends the training."""

    device: torch.device
    calls: int
    start: float = field(default_factory=time.perf_counter)
    seconds: list[float] = field(default_factory=list)

    def after_step(self, parameters: Mapping[str, Tensor]) -> None:  # noqa: ARG002
        """See the time."""
        wait_for(self.device)
        now = time.perf_counter()
        self.seconds.append(now - self.start)
        self.start = now
        if len(self.seconds) == self.calls:
            raise MeasuredError


class ReadyInputTask(FinetuneTask):
    """The task on one batch that lies on the GPU: cross-entropy alone, and no log."""

    def loss(self, batch: Tensor, *, interval: int, step: int) -> tuple[Tensor, dict[str, Any]]:  # noqa: ARG002
        """Return the cross-entropy of the batch."""
        if not hasattr(self, "ready"):
            side = self.preprocessing.size
            labels = self.seen.rows(self.seen.training, batch)
            self.ready = torch.rand(len(batch), 3, side, side, device=self.device), labels.to(self.device)
        inputs, labels = self.ready
        with autocast(self.device, self.settings.precision):
            logits = self.model(inputs)[1]
        return nn.functional.cross_entropy(logits, labels), {}


def make_task(size: Size, switches: Switches, device: torch.device) -> FinetuneTask:
    """Return fine-tuning of the encoder with its head, plain cross-entropy."""
    images = noise(size, size.training_batch)
    task = ReadyInputTask if switches.network_alone else FinetuneTask
    return task(
        model=ImageClassifier(make_encoder(size, switches, device), make_head(size, device)),
        settings=Finetune.model_validate({"kind": "finetune", "precision": switches.precision}),
        seed=0,
        seen=SeenImages(training=images, held_out=images, label_rows=label_rows(size.classes, None)),
        preprocessing=preprocessing(size),
        device=device,
    )


def time_training(size: Size, switches: Switches, device: torch.device) -> Timing:
    """Time the steps of the project's training loop; the first two are not counted."""
    task = make_task(size, switches, device)
    optimizer = torch.optim.AdamW(task.model.parameters(), lr=1e-5, weight_decay=task.settings.weight_decay, fused=True)
    watch = Stopwatch(device, calls=size.calls + 2)
    schedule = Schedule(
        intervals=1,
        batches=lambda _: [torch.arange(size.training_batch)] * watch.calls,
        learning_rate=lambda *_: 1e-5,
        gradient_clip=task.settings.gradient_clip,
        seed=0,
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(MeasuredError):
        none = Path(folder) / "checkpoint.pt"
        train(task, schedule=schedule, optimizer=optimizer, averager=watch, checkpoint=none, device=device)
    return Timing(images=size.training_batch, first=watch.seconds[0], later=watch.seconds[2:])


def training_flops(size: Size, device: torch.device) -> float:
    """Return the operations of one image's forward and backward pass."""
    task = make_task(size, FP32, device)
    numbers = torch.arange(size.training_batch)
    return counted(lambda: task.loss(numbers, interval=0, step=0)[0].backward()) / len(numbers)


def time_scoring(size: Size, switches: Switches, device: torch.device) -> Timing:
    """Time batches of the project's scoring at one alpha."""
    encoder, head = make_encoder(size, switches, device).eval(), make_head(size, device)
    images = noise(size, size.scoring_batch * (1 if switches.network_alone else size.calls + 2))
    classifier = LinearClassifier(
        encoder=encoder,
        grid=(InterpolatedWeights(ALPHA, detached(encoder), detached(head)),),
        classes=images.classes,
        preprocessing=preprocessing(size),
        precision="bf16" if switches.precision == "bf16" else "fp32",
    )
    count = size.scoring_batch
    if switches.network_alone:
        pictures = torch.rand(count, 3, classifier.preprocessing.size, classifier.preprocessing.size, device=device)

        def call() -> object:
            return next(classifier.logits(pictures))

        return repeated(call, first=seconds_of(call, device), images=count, size=size, device=device)
    tables = score_batches(
        images, classifier, alphas=[ALPHA], device=device, batch_size=count, full_logits=False, base=None
    )
    seconds = [seconds_of(lambda: next(tables), device) for _ in range(size.calls + 2)]
    return Timing(images=count, first=seconds[0], later=seconds[2:])


def detached(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's tensors."""
    return {name: tensor.detach() for name, tensor in network.state_dict().items()}


def scoring_flops(size: Size, device: torch.device) -> float:
    """Return the operations of one image's forward pass."""
    # In training mode: in evaluation mode torch fuses what the counter would have to see.
    model = make_task(size, FP32, device).model.train()
    side = preprocessing(size).size
    return counted(lambda: model(torch.rand(1, 3, side, side, device=device)))


# The parts, and the table.


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is measured, and in which rows."""

    rows: tuple[Switches, ...]
    time: Callable[[Size, Switches, torch.device], Timing]
    flops: Callable[[Size, torch.device], float]
    """Operations per image."""


PARTS = {
    "generation": Part(rows=GENERATION, time=time_generation, flops=generation_flops),
    "decoding": Part(rows=DECODING, time=time_decoding, flops=decoding_flops),
    "training": Part(rows=ENCODER, time=time_training, flops=training_flops),
    "scoring": Part(rows=ENCODER, time=time_scoring, flops=scoring_flops),
}


def matrix_peak(size: Size, switches: Switches, device: torch.device) -> float:
    """Return the operations per second of a large matrix product."""
    with switched(replace(switches, deterministic=False)):
        left, right = (
            torch.randn(size.matrix, size.matrix, device=device).to(DTYPES[switches.precision]) for _ in range(2)
        )
        first = seconds_of(lambda: left @ right, device)
        timing = repeated(lambda: left @ right, first=first, images=1, size=size, device=device)
    return 2.0 * size.matrix**3 * timing.images_per_second


def planned(parts: list[str]) -> list[tuple[str, Switches]]:
    """Return all rows of some parts in the order in which they are measured."""
    rows = [(part, switches) for part in parts for switches in PARTS[part].rows]
    return sorted(rows, key=lambda row: STAGES.index(row[1].compiled))


def measured(part: str, switches: Switches, size: Size, device: torch.device) -> tuple[Timing, int]:
    """Measure one row by itself; return its timing and the largest memory on the GPU in bytes."""
    torch.compiler.reset()
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    torch.manual_seed(0)
    with switched(switches):
        timing = PARTS[part].time(size, switches, device)
    return timing, torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0


def measure_all(
    parts: list[str], size: Size, device: torch.device, *, limit: float, keep: Callable[[dict[str, Any]], None]
) -> tuple[list[Row], dict[str, str]]:
    """Measure all rows of some parts, each in turn, and keep what is known after every one of them.

    Returns:
        The rows, and those that were left out with the reason: they failed, or were due after `limit` seconds.
    """
    start = time.perf_counter()
    peaks = {name: matrix_peak(size, switches, device) for name, switches in PEAKS.items()}
    rows: list[Row] = []
    omitted: dict[str, str] = {}
    flops: dict[str, float] = {}
    base: dict[str, float] = {}
    for part, switches in planned(parts):
        name = f"{part}: {switches.name}"
        print(f"measuring {name}", file=sys.stderr, flush=True)
        try:
            if time.perf_counter() - start > limit:
                raise RuntimeError("out of time")
            flops[part] = flops[part] if part in flops else PARTS[part].flops(size, device)
            timing, memory = measured(part, switches, size, device)
        except RuntimeError as error:
            # Out of memory or time, or what the compiler cannot do: the other rows can still be measured.
            omitted[name] = " ".join(str(error).split())[:200]
        else:
            base.setdefault(part, timing.images_per_second)
            peak = peaks[switches.peak]
            row = make_row(part, switches, timing, flops=flops[part], peak=peak, base=base[part], memory=memory)
            rows.append(row)
        keep({"peaks": peaks, "rows": [asdict(row) for row in rows], "left_out": omitted})
    return rows, omitted


def table(rows: list[Row]) -> str:
    """Return the rows as a table, part by part."""
    head = ("part", "switches", "images/s", "ratio", "TFLOP/s", "of peak", "first call", "GB")
    lines = [
        (
            row.part,
            row.switches,
            f"{row.images_per_second:.2f}",
            f"{row.ratio:.2f}",
            f"{row.teraflops:.1f}",
            f"{row.share_of_peak:.0%}",
            f"{row.first_call_seconds:.1f} s",
            f"{row.gigabytes:.1f}",
        )
        for row in sorted(rows, key=lambda row: list(PARTS).index(row.part))
    ]
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]

    def joined(line: tuple[str, ...]) -> str:
        names = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
        figures = [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
        return f"| {' | '.join([*names, *figures])} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([joined(head), rule, *map(joined, lines)])


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="full", help="tiny runs without a GPU, to see that all works")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS), help="the parts to measure")
    parser.add_argument("--seconds", type=float, default=600.0, help="after which no further row is begun")
    parser.add_argument("--output", type=Path, default=Path("results/bench/gpu.json"), help="figures to write")
    options = parser.parse_args(arguments)
    if options.size != "tiny" and not torch.cuda.is_available():
        sys.exit("no CUDA GPU here: nothing to measure (--size tiny shows that the script works)")
    diffusers.utils.logging.set_verbosity_error()
    with claimed_device(threads=torch.get_num_threads(), locks=Path(".snakemake/gpu-locks")) as device:
        about = {"size": options.size, "environment": environment_metadata(device)}
        rows, omitted = measure_all(
            options.only,
            SIZES[options.size],
            device,
            limit=options.seconds,
            keep=lambda known: write_json(options.output, {**about, **known}),
        )
    print(about["environment"]["device"])
    print(table(rows))
    for name, reason in omitted.items():
        print(f"left out: {name} ({reason})")


if __name__ == "__main__":
    main()
