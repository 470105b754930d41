"""An open_clip text tower as transformers' CLIPTextModel with its tokenizer: what a diffusers pipeline wants."""

from typing import Any

import torch
from open_clip.tokenizer import SimpleTokenizer
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
_THEIR_NAMES = {"<start_of_text>": START, "<end_of_text>": END}
"""Left with open_clip's names, transformers 5 would add new tokens past the embedding table."""

_PER_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


def text_model_of(clip: Any, *, positions: int | None = None) -> CLIPTextModel:
    """Return the text tower of an open_clip CLIP with GELU activations; equal token ids give equal hidden states.

    Args:
        clip: open_clip's model.
        positions: tokens that it takes; None: as many as the CLIP. Further ones, which a pipeline fills with padding
            and masks, have the last one's embedding: no earlier state depends on them.
    """
    trained = clip.positional_embedding.shape[0]
    width = clip.ln_final.weight.shape[0]
    blocks = clip.transformer.resblocks
    config = CLIPTextConfig(
        vocab_size=clip.token_embedding.weight.shape[0],
        hidden_size=width,
        intermediate_size=blocks[0].mlp.c_fc.weight.shape[0],
        num_hidden_layers=len(blocks),
        num_attention_heads=blocks[0].attn.num_heads,
        max_position_embeddings=positions or trained,
        hidden_act="gelu",
        layer_norm_eps=clip.ln_final.eps,
        projection_dim=clip.text_projection.shape[1],
        bos_token_id=clip.token_embedding.weight.shape[0] - 2,
        eos_token_id=clip.token_embedding.weight.shape[0] - 1,
        pad_token_id=clip.token_embedding.weight.shape[0] - 1,
    )
    with torch.random.fork_rng(devices=[]):
        model = CLIPTextModel(config).eval()
    state = _renamed(clip.state_dict(), layers=len(blocks))
    table = "embeddings.position_embedding.weight"
    state[table] = torch.cat([state[table], state[table][-1:].repeat((positions or trained) - trained, 1)])
    model.load_state_dict(state)
    return model


def _renamed(state: dict[str, torch.Tensor], *, layers: int) -> dict[str, torch.Tensor]:
    renamed = {
        "embeddings.token_embedding.weight": state["token_embedding.weight"],
        "embeddings.position_embedding.weight": state["positional_embedding"],
        "final_layer_norm.weight": state["ln_final.weight"],
        "final_layer_norm.bias": state["ln_final.bias"],
    }
    for layer in range(layers):
        theirs, ours = f"transformer.resblocks.{layer}", f"encoder.layers.{layer}"
        for kind in ("weight", "bias"):
            packed = state[f"{theirs}.attn.in_proj_{kind}"].chunk(3)
            for name, part in zip(("q_proj", "k_proj", "v_proj"), packed, strict=True):
                renamed[f"{ours}.self_attn.{name}.{kind}"] = part
            for name, target in _PER_LAYER.items():
                renamed[f"{ours}.{target}.{kind}"] = state[f"{theirs}.{name}.{kind}"]
    return renamed


def tokenizer_of(*, context_length: int) -> CLIPTokenizer:
    """Return open_clip's byte-pair tokenizer as transformers' CLIPTokenizer: the same ids up to the end of the text.

    After it CLIPTokenizer pads with the end-of-text token where open_clip pads with 0.
    """
    simple = SimpleTokenizer(context_length=context_length)
    vocabulary = {_THEIR_NAMES.get(token, token): number for token, number in simple.encoder.items()}
    return CLIPTokenizer(vocabulary, list(simple.bpe_ranks), model_max_length=context_length, pad_token=END)
