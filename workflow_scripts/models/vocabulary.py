"""A tokenizer that knows what a corpus says and every letter: CLIP's byte-pair encoding with fewer pairs."""

from collections.abc import Iterable
from itertools import pairwise

from open_clip.tokenizer import SimpleTokenizer
from transformers import CLIPTokenizer

from workflow_scripts.models.text_encoder import END, START

Pair = tuple[str, str]


def corpus_tokenizer(texts: Iterable[str], *, context_length: int) -> CLIPTokenizer:
    """Return CLIP's tokenizer with only those pairs that some texts merge.

    Such a text is cut as CLIP's own tokenizer cuts it; any other one is cut into what is known of it, letters at worst.
    The numbers are others: those in use, in the order of CLIP's, and the two marks last.

    Args:
        texts: what the corpus says.
        context_length: tokens of the longest text.
    """
    simple = SimpleTokenizer(context_length=context_length)
    words = {word for text in texts for word in simple.pat.findall(text.lower())}
    used = {pair for word in words for pair in _merges(_symbols(word, simple), simple.bpe_ranks)}
    merges = sorted(used, key=simple.bpe_ranks.__getitem__)
    letters = list(simple.byte_encoder.values())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges), START, END]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocabulary, merges, model_max_length=context_length, pad_token=END)


def _symbols(word: str, simple: SimpleTokenizer) -> tuple[str, ...]:
    letters = [simple.byte_encoder[byte] for byte in word.encode("utf-8")]
    return (*letters[:-1], f"{letters[-1]}</w>")


def _merges(symbols: tuple[str, ...], ranks: dict[Pair, int]) -> Iterable[Pair]:
    """Yield the pairs that byte-pair encoding merges in a word, the most frequent one of the language first."""
    while True:
        found = min(pairwise(symbols), key=lambda pair: ranks.get(pair, len(ranks)), default=None)
        if found is None or found not in ranks:
            return
        yield found
        merged: list[str] = []
        for symbol in symbols:
            # A pair that overlaps the one just merged is none: its first half is gone.
            if merged and (merged[-1], symbol) == found:
                merged[-1] += symbol
            else:
                merged.append(symbol)
        symbols = tuple(merged)
