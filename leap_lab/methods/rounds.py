"""What methods in rounds share: new paths that begin when a round has ended, and one budget over all rounds."""

import asyncio
from collections.abc import Iterable, Sequence

from leap_lab.methods.references import Part
from leap_lab.methods.writer import Writer
from leap_lab.path import Path, share_beginning


def begin(writer: Writer, turn: int, prompts: Sequence[Sequence[Part]], before: Sequence[Path]) -> list[Path]:
    """A new path for each prompt, with nothing but this prompt in it. They wait for all the paths `before`."""
    paths = writer.blank(len(prompts))
    longest, started = max(path.critical_path for path in before), min(path.started_s for path in before)
    for path, parts in zip(paths, prompts, strict=True):
        for kind, tokens in parts:
            path.add(kind, turn, tokens, writer.tokens.decode(tokens))
        path.started_s, path.critical_path = started, longest
    share_beginning(paths)
    return paths


def succeed(paths: Sequence[Path], before: Sequence[Path]) -> list[Path]:
    """The paths, each with the bill of its predecessor, which becomes its helper."""
    for path, earlier in zip(paths, before, strict=True):
        path.helpers, earlier.helpers = [*earlier.helpers, earlier], []
    return list(paths)


async def think(writer: Writer, paths: Sequence[Path], turn: int, limits: Iterable[int]) -> None:
    """Let the paths of a round think, each for at most so many tokens, and answer."""
    pairs = zip(paths, limits, strict=True)
    await asyncio.gather(*(writer.think_to_the_end(path, turn, limit) for path, limit in pairs))


def share(path: Path, max_tokens: int, rounds: int) -> int:
    """Tokens that a path may think for in the first of so many `rounds`: an equal part of what its helpers left.

    What earlier rounds sampled is on its bill, answers included. What a round does not use goes to later ones.
    """
    return max(0, max_tokens - sum(earlier.sampled for earlier in path.helpers)) // rounds


def allowance(writer: Writer, earlier: Iterable[Path], coming: int) -> int:
    """Tokens that each of the `coming` paths of a group may think for: an equal part of what the `earlier` ones left.

    The whole group may sample what N independent paths may think, so that no path more than one of these.
    """
    left = writer.job.peers * writer.max_tokens - sum(path.sampled for path in earlier)
    return min(writer.max_tokens, max(0, left) // coming)
