"""The files of embedded models, relative to a model's folder: what the rules declare and the trainings write."""

CLIP_FILES = ("open_clip_config.json", "open_clip_model.safetensors")

STUDENT_FILES = ("config.json", "model.safetensors")

AUTOENCODER_FILES = ("vae/config.json", "vae/diffusion_pytorch_model.safetensors")

PIPELINE_FILES = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/tokenizer.json",
    "tokenizer/tokenizer_config.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
)
"""The pipeline's files beside the autoencoder's."""
