"""The built-in model's tokenizer: byte-level BPE with Qwen2's split digits, the tags as tokens, a chat template."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from leap_lab.engines.chat import Chat

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

END_OF_TEXT, TURN_OPEN, TURN_CLOSE = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
TAGS = ("<think>", "</think>", "<summarize>", "</summarize>", "<comment>", "</comment>")
# Qwen2's own rule for where words end: loaders rebuild a Qwen2 tokenizer with it, whatever tokenizer.json says.
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> "PreTrainedTokenizerFast":
    """A tokenizer that encodes any text, digit by digit, and decodes it back exactly."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(WORDS), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(TAGS),
        special_tokens=[END_OF_TEXT, TURN_OPEN, TURN_CLOSE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in TAGS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=TURN_CLOSE,
        pad_token=END_OF_TEXT,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


class FastTokens:
    """A `tokenizers.Tokenizer` of `train_tokenizer` as the scripted engine uses it."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.close_id: int | None = tokenizer.token_to_id("</think>")
        self.form = Chat(turn=(f"{TURN_CLOSE}\n{TURN_OPEN}user\n", f"{TURN_CLOSE}\n{TURN_OPEN}assistant\n<think>\n"))

    def encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=False))

    def chat(self, user: str, begun: str = "", earlier: Sequence[tuple[str, str]] = ()) -> list[int]:
        """What `CHAT_TEMPLATE` gives for these messages."""
        said = [*(text for turn in earlier for text in turn), user]
        turns = (
            f"{TURN_OPEN}{'assistant' if place % 2 else 'user'}\n{self.plain(text)}{TURN_CLOSE}\n"
            for place, text in enumerate(said)
        )
        return self.encode(f"{''.join(turns)}{TURN_OPEN}assistant\n<think>\n{begun}")

    def plain(self, text: str) -> str:
        """The text with a space in each special token."""
        for token in (END_OF_TEXT, TURN_OPEN, TURN_CLOSE, "<think>", "</think>"):
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return text
