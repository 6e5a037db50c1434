"""A byte-level tokenizer with given control tokens, in which no two letters are merged unless a test asks for it."""

from collections.abc import Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from leap_lab.builtin.tokenizer import WORDS

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())


def tokenizer(
    template: str | None,
    special: Sequence[str] = (),
    added: Sequence[str] = (),
    bos: str | None = None,
    eos: str = "<|im_end|>",
    merged: Sequence[str] = (),
) -> PreTrainedTokenizerFast:
    """`special` and `added` texts are one token each, the latter not called special; `merged` are ordinary tokens."""
    vocabulary = {byte: index for index, byte in enumerate(BYTES)}
    merges: list[tuple[str, str]] = []
    for text in map(_spelled, merged):
        for end in range(1, len(text)):
            if text[: end + 1] not in vocabulary:
                vocabulary[text[: end + 1]] = len(vocabulary)
                merges.append((text[:end], text[end]))
    fast = Tokenizer(models.BPE(vocabulary, merges))
    split = pre_tokenizers.Split(Regex(WORDS), behavior="isolated")
    fast.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    fast.decoder = decoders.ByteLevel()
    ends = [each for each in (bos, eos) if each]
    fast.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in (*ends, *special)])
    fast.add_tokens([AddedToken(text, special=False, normalized=False) for text in added])
    return PreTrainedTokenizerFast(
        tokenizer_object=fast,
        bos_token=bos,
        eos_token=eos,
        pad_token=eos,
        chat_template=template,
        clean_up_tokenization_spaces=False,
    )


def _spelled(text: str) -> str:
    """A text in the signs that byte-level tokenizers write for its bytes, as in `Ġ` for a space."""
    [(signs, _)] = pre_tokenizers.ByteLevel(False, use_regex=False).pre_tokenize_str(text)
    return str(signs)
