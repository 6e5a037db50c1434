"""Seeds for every random choice, derived from what the choice is for and never from global state.

vLLM rebuilds a request's generator from its seed. A seed that is used twice repeats the same noise, so every request of
a path needs its own.
"""

import hashlib
import random


def derive_seed(*parts: object) -> int:
    """A 31-bit seed that depends on every part and on their order, the same in every process."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") & 0x7FFFFFFF


def rng_for(*parts: object) -> random.Random:
    """A separate generator for one choice, seeded by `derive_seed`."""
    return random.Random(derive_seed(*parts))
