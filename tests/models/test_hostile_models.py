"""Checkpoints as an attack: no pickle is executed, no code of theirs is run, tensors that do not fit are named."""

import contextlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.generation.checkpoints import save_checkpoint
from tests.models.test_models import clip, images, options  # noqa: F401
from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.checkpoint_files import OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.manifests import write_model_manifest
from workflow_scripts.common.students import Architecture
from workflow_scripts.common.weights import load_weights, save_weights
from workflow_scripts.generation.pipelines import load_pipeline
from workflow_scripts.generation.settings import Sampling
from workflow_scripts.models import fetch_checkpoint
from workflow_scripts.models.settings import FolderCheckpoint
from workflow_scripts.training.checkpoints import load_checkpoint

CPU = torch.device("cpu")


class Payload:
    """A pickle of this leaves a file when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def plain(mark: Path) -> bytes:
    return pickle.dumps(Payload(mark))


def in_a_dictionary(mark: Path) -> bytes:
    return pickle.dumps({"weight": Payload(mark)})


def in_torchs_archive(mark: Path) -> bytes:
    path = mark.with_name("archive.pt")
    torch.save({"model": Payload(mark), "interval": 0, "entries": []}, path)
    return path.read_bytes()


def in_torchs_old_format(mark: Path) -> bytes:
    path = mark.with_name("old.pt")
    torch.save({"model": Payload(mark)}, path, _use_new_zipfile_serialization=False)
    return path.read_bytes()


PICKLES: list[Callable[[Path], bytes]] = [plain, in_a_dictionary, in_torchs_archive, in_torchs_old_format]


@pytest.mark.parametrize("make", PICKLES)
def test_the_payload_works_where_pickles_are_trusted(make: Callable[[Path], bytes], tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(make(tmp_path / "ran"))
    if make in (plain, in_a_dictionary):
        pickle.loads((tmp_path / "x.pt").read_bytes())  # noqa: S301
    else:
        torch.load(tmp_path / "x.pt", weights_only=False)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("make", PICKLES)
def test_a_pickle_in_the_place_of_weights_is_not_executed(make: Callable[[Path], bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(make(tmp_path / "ran"))
    with pytest.raises(InputError, match=r"model\.safetensors: not a readable safetensors file"):
        load_weights(path)
    with pytest.raises(InputError, match=r"model\.safetensors: not a readable safetensors file"):
        load_head(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("make", PICKLES)
def test_a_pickle_in_the_place_of_a_checkpoint_is_not_executed(make: Callable[[Path], bytes], tmp_path: Path) -> None:
    path = tmp_path / "checkpoint-0123456789abcdef.pt"
    path.write_bytes(make(tmp_path / "ran"))
    assert load_checkpoint(path, device=CPU) is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("state", [{}, [], {"model": {}}, torch.zeros(3)])
def test_a_checkpoint_without_its_parts_starts_anew(state: Any, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "c.pt")
    assert load_checkpoint(tmp_path / "c.pt", device=CPU) is None


# --- CLIP


def copied(manifest: Path, folder: Path) -> Path:
    shutil.copytree(manifest.parent, folder)
    (folder / "manifest.json").unlink()
    return folder


def declared(folder: Path, what: str = "clip") -> Path:
    """Declare a changed folder anew, so that its content and not its digest is what is tested."""
    manifest = folder.with_name(f"{folder.name}-manifest.json")
    settings = FolderCheckpoint(kind="folder", path=str(folder))
    fetch_checkpoint.job(options(settings=settings.canonical(), what=what, output=manifest))
    return manifest


def code(mark: Path) -> str:
    """Return a module that leaves a file when it is imported."""
    return f"from pathlib import Path\nPath({str(mark)!r}).touch()\n\nclass Evil:\n    pass\n"


def with_config(folder: Path, change: Callable[[dict[str, Any]], None], name: str = OPEN_CLIP_CONFIG) -> None:
    config = json.loads((folder / name).read_text())
    change(config)
    (folder / name).write_text(json.dumps(config))


def test_pickles_beside_a_clips_weights_are_never_opened(clip: Path, tmp_path: Path) -> None:  # noqa: F811
    folder = copied(clip, tmp_path / "model")
    for name in ("pytorch_model.bin", "open_clip_pytorch_model.bin", "open_clip_model.pt", "model.ckpt"):
        (folder / name).write_bytes(in_torchs_archive(tmp_path / "ran"))
    manifest = declared(folder)
    assert load_clip(manifest, device=CPU).preprocessing.size == 8
    assert "bin" not in manifest.read_text()
    (folder / OPEN_CLIP_WEIGHTS).unlink()
    with pytest.raises(InputError, match=r"no open_clip_model\.safetensors"):
        declared(folder)
    (folder / OPEN_CLIP_WEIGHTS).write_bytes(in_torchs_archive(tmp_path / "ran"))
    with pytest.raises(InputError, match=r"open_clip_model\.safetensors: not a readable safetensors file"):
        load_clip(declared(folder), device=CPU)
    assert not (tmp_path / "ran").exists()


def test_a_clip_that_asks_for_code_is_refused(clip: Path, tmp_path: Path) -> None:  # noqa: F811
    folder = copied(clip, tmp_path / "model")
    (folder / "evil.py").write_text(code(tmp_path / "ran"))
    auto = {"AutoTokenizer": ["evil.Evil", None]}
    (folder / "tokenizer_config.json").write_text(json.dumps({"auto_map": auto, "tokenizer_class": "Evil"}))

    def trusting(config: dict[str, Any]) -> None:
        config["model_cfg"]["text_cfg"] |= {
            "hf_tokenizer_name": "evil/evil",
            "tokenizer_kwargs": {"trust_remote_code": True},
        }

    with_config(folder, trusting)
    with pytest.raises(InputError, match=r"open_clip_config\.json: asks for code of its own \(trust_remote_code\)"):
        declared(folder)
    manifest = tmp_path / "manifest.json"
    names = [path.name for path in folder.iterdir()]
    write_model_manifest(manifest, folder=folder, names=names, origin={"kind": "folder"})
    with pytest.raises(InputError, match=r"open_clip_config\.json: asks for code of its own \(trust_remote_code\)"):
        load_clip(manifest, device=CPU)
    with_config(folder, lambda config: config["model_cfg"]["text_cfg"].pop("tokenizer_kwargs"))
    with pytest.raises(InputError, match=r"tokenizer_config\.json: asks for code of its own \(auto_map\)"):
        declared(folder)
    assert not (tmp_path / "ran").exists()
    # The attack is real: open_clip by itself runs the code.
    with_config(folder, trusting)
    with contextlib.suppress(AttributeError):
        open_clip.get_tokenizer(f"local-dir:{folder}")
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("tower", "change", "error"),
    [
        ("text_cfg", {"hf_model_name": "evil/text"}, "hf_model_name names a model of a hub"),
        ("vision_cfg", {"timm_model_name": "hf-hub:evil/vision"}, "timm_model_name names a model of a hub"),
        ("vision_cfg", {"timm_model_name": "no_such_model"}, "open_clip cannot build this model"),
        ("vision_cfg", {"width": "wide"}, "open_clip cannot build this model"),
        ("vision_cfg", {"nonsense": 1}, "open_clip cannot build this model"),
    ],
)
def test_a_clip_of_another_make_is_named(
    tower: str,
    change: dict[str, Any],
    error: str,
    clip: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = copied(clip, tmp_path / "model")
    with_config(folder, lambda config: config["model_cfg"][tower].update(change))
    with pytest.raises(InputError, match=rf"open_clip_config\.json: {error}"):
        load_clip(declared(folder), device=CPU)


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000, "null"])
def test_a_configuration_that_is_none_is_named(content: str, clip: Path, tmp_path: Path) -> None:  # noqa: F811
    folder = copied(clip, tmp_path / "model")
    (folder / OPEN_CLIP_CONFIG).write_text(content)
    with pytest.raises(InputError, match=r"open_clip_config\.json: not "):
        declared(folder)


def test_a_clips_tensors_that_do_not_fit_are_named(clip: Path, tmp_path: Path) -> None:  # noqa: F811
    folder = copied(clip, tmp_path / "model")
    tensors = load_file(folder / OPEN_CLIP_WEIGHTS)
    del tensors["visual.proj"]
    tensors["visual.backdoor"] = torch.zeros(1)
    tensors["ln_final.weight"] = torch.zeros(7)
    save_file(tensors, folder / OPEN_CLIP_WEIGHTS)
    expected = r"missing visual\.proj, unexpected visual\.backdoor, ln_final\.weight has shape \[7\], not \[32\]"
    with pytest.raises(InputError, match=rf"open_clip_model\.safetensors: weights do not fit: {expected}$"):
        load_clip(declared(folder), device=CPU)


def test_class_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = tmp_path / "head.safetensors"
    head = {"weight": torch.zeros(3, 4), "bias": torch.zeros(3)}
    save_head(path, {"pretrained": head}, classes=("a", "b"))
    with pytest.raises(InputError, match=r"pretrained does not fit 2 classes: weight \[3, 4\], bias \[3\]"):
        load_head(path)
    save_weights(path, {"pretrained.weight": torch.zeros(2, 4), "pretrained.bias": torch.zeros(2)})
    with pytest.raises(InputError, match="names no classes"):
        load_head(path)


# --- text to image


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint("stable-diffusion", tmp_path_factory.mktemp("pipeline")).parent / "files"


def sampling() -> Sampling:
    return Sampling(size=32)


def load(folder: Path) -> Any:
    return load_pipeline(declared(folder, "text-to-image"), sampling(), device=CPU)


def test_pickles_in_a_pipeline_are_never_opened(pipeline: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(pipeline, tmp_path / "model"))
    for part in (
        "unet/diffusion_pytorch_model.bin",
        "text_encoder/pytorch_model.bin",
        "vae/diffusion_pytorch_model.ckpt",
    ):
        (folder / part).write_bytes(in_torchs_archive(tmp_path / "ran"))
    assert type(load(folder)).__name__ == "StableDiffusionPipeline"
    for part in ("unet/diffusion_pytorch_model", "text_encoder/model"):
        (folder / f"{part}.safetensors").write_bytes(in_torchs_archive(tmp_path / "ran"))
        with pytest.raises(InputError, match="weights do not fit"):
            load(folder)
        shutil.copy(pipeline / f"{part}.safetensors", folder / f"{part}.safetensors")
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InputError, match="unet: only pickled weights, which are never loaded"):
        declared(folder, "text-to-image")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (["evil", "Evil"], r"\['evil', 'Evil'\] is no component of diffusers or transformers"),
        (["os", "system"], r"\['os', 'system'\] is no component of diffusers or transformers"),
        (["unet/evil", "Evil"], "is no component of diffusers or transformers"),
        (["diffusers", "Evil"], "diffusers has no class 'Evil'"),
        (["transformers", "logging"], "transformers has no class 'logging'"),
        ([], "is no component of diffusers or transformers"),
    ],
)
def test_a_component_of_remote_code_is_refused(entry: list[str], error: str, pipeline: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(pipeline, tmp_path / "model"))
    for place in (folder, folder / "unet"):
        (place / "evil.py").write_text(code(tmp_path / "ran"))
    with_config(folder, lambda index: index.update(unet=entry), "model_index.json")
    with pytest.raises(InputError, match=rf"model_index\.json: .*{error}"):
        load(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("model_index.json", {"custom_pipelines": {"evil": "evil.py"}}),
        ("unet/config.json", {"auto_map": {"AutoModel": "evil.Evil"}}),
        ("tokenizer/tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}),
        ("text_encoder/config.json", {"nested": [{"trust_remote_code": True}]}),
    ],
)
def test_a_pipeline_that_asks_for_code_is_refused(
    name: str, change: dict[str, Any], pipeline: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(pipeline, tmp_path / "model"))
    with_config(folder, lambda config: config.update(change), name)
    with pytest.raises(InputError, match=rf"{name}: asks for code of its own"):
        load(folder)


@pytest.mark.parametrize("kind", [["evil.py", "Evil"], "Evil", "CLIPTextModel", None])
def test_a_pipeline_of_an_unknown_class_is_refused(kind: Any, pipeline: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(pipeline, tmp_path / "model"))
    (folder / "evil.py").write_text(code(tmp_path / "ran"))
    with_config(folder, lambda index: index.update(_class_name=kind), "model_index.json")
    with pytest.raises(InputError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("part", "tensor"),
    [
        ("unet/diffusion_pytorch_model", "conv_in.bias"),
        ("vae/diffusion_pytorch_model", "decoder.conv_out.bias"),
        ("text_encoder/model", "final_layer_norm.bias"),
    ],
)
def test_a_pipelines_tensors_that_do_not_fit_are_named(part: str, tensor: str, pipeline: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(pipeline, tmp_path / "model"))
    path = folder / f"{part}.safetensors"
    tensors = load_file(path)
    (name,) = (key for key in tensors if key.endswith(tensor))
    for change, error in (
        ({key: value for key, value in tensors.items() if key != name}, f"missing {tensor}"),
        ({**tensors, "backdoor": torch.zeros(1)}, "unexpected backdoor"),
        ({**tensors, name: torch.zeros(77)}, f"shape {tensor}"),
    ):
        save_file(change, path, metadata={"format": "pt"})
        with pytest.raises(InputError, match="weights do not fit") as caught:
            load(folder)
        assert error.split()[-1] in str(caught.value)
        assert error.split()[0] in str(caught.value)
        assert "\n" not in str(caught.value)


# --- students


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("resnet18", {"checkpoint_path": "evil.pth"}, "model_args checkpoint_path would read other files"),
        ("resnet18", {"pretrained": True}, "model_args pretrained would read other files"),
        ("resnet18", {"pretrained_cfg": {"file": "evil.pth"}}, "model_args pretrained_cfg would read other files"),
        ("hf-hub:evil/evil", {}, "architecture 'hf-hub:evil/evil' would read other files or a hub"),
        ("local-dir:evil", {}, "architecture 'local-dir:evil' would read other files or a hub"),
        ("no_such_network", {}, "timm cannot build 'no_such_network'"),
    ],
)
def test_a_student_that_reads_other_files_is_refused(name: str, arguments: dict[str, Any], error: str) -> None:
    half = (0.5, 0.5, 0.5)
    with pytest.raises(InputError, match=f"student: {error}"):
        Architecture(name=name, arguments=arguments, size=32, mean=half, std=half).build()
