"""Does the built-in model show what it is for? `python -m leap_lab.training.evaluate --model leap_lab/assets/tiny`.

On fresh test problems, decoded by vLLM: independent sampling, the five difficulty buckets, the Prefix Dominance Trap,
LeaP against independent sampling with the same budget, and how often peers mend or spoil an answer. Prints the tables
of the model card.

Independent and LeaP paths of the same index share their seeds, hence their words up to the first block: comparing
their final answers tells what the exchange did to the very same beginning.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leap_lab.arithmetic import generate
from leap_lab.engines.base import Engine, Sampling
from leap_lab.grading import grade
from leap_lab.methods.base import Job, Method
from leap_lab.methods.independent import Independent
from leap_lab.methods.leap import Leap
from leap_lab.path import SAMPLED, Path
from leap_lab.problems import Problem
from leap_lab.routing import Clustered, Dispersed, Randomly, Router
from leap_lab.seeds import rng_for
from leap_lab.training.corpus import ANSWER, SUMMARY, load_prompts

Correct = NDArray[np.float64]  # (questions, paths), 1 where right
BUCKETS = {"very easy": (32, 32), "easy": (25, 31), "medium": (9, 24), "hard": (1, 8), "very hard": (0, 0)}
BATCH = 12  # questions in flight


@dataclass(frozen=True)
class Evaluation:
    """What is measured, and with which settings."""

    engine: Engine
    problems: list[Problem]
    peers: int
    interval: int
    max_tokens: int
    sampling: Sampling
    seed: int

    def leap(self, router: Router) -> Leap:
        prompts = load_prompts("tuned")
        return Leap(self.interval, self.max_tokens, SUMMARY, ANSWER, self.sampling, prompts, router)

    def independent(self) -> Independent:
        return Independent(self.max_tokens, ANSWER, self.sampling, load_prompts("tuned"))

    async def decode(
        self, method: Method, groups: Sequence[int] = (0,), beginnings: dict[str, tuple[int, ...]] | None = None
    ) -> list[list[Path]]:
        """The paths of every question, all groups together; with `beginnings` only those questions."""
        problems = [p for p in self.problems if beginnings is None or p.id in beginnings]
        free = asyncio.Semaphore(BATCH)

        async def one(index: int, problem: Problem) -> list[Path]:
            prefix = (beginnings or {}).get(problem.id, ())
            async with free:
                paths: list[Path] = []
                for group in groups:
                    job = Job(problem, group, self.peers, self.seed, index, index, (prefix,) * self.peers)
                    paths += await method.solve(job, self.engine)
                return paths

        return await asyncio.gather(*(one(index, problem) for index, problem in enumerate(problems)))

    def correct(self, groups: list[list[Path]], problems: list[Problem]) -> Correct:
        return np.array(
            [[grade(p, q).correct for p in paths] for q, paths in zip(problems, groups, strict=True)], float
        )


def interval(values: NDArray[np.float64], seed: int = 0) -> str:
    """Mean in percent with a 95% percentile interval, questions resampled."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (10_000, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{100 * values.mean():.1f} [{100 * low:.1f}, {100 * high:.1f}]"


async def evaluate(run: Evaluation) -> None:
    """Measure and print everything."""
    alone_paths = await run.decode(run.independent())
    alone = run.correct(alone_paths, run.problems)
    print(f"\nIndependent Pass@1 %: {interval(alone.mean(axis=1))}, {describe(alone_paths)}")
    reference = await run.decode(replace(run, seed=run.seed + 1).independent(), groups=(1000, 1001))
    print_buckets(run.correct(reference, run.problems))
    await print_leap(run, alone)
    await print_trap(run, reference, alone)


def describe(groups: list[list[Path]]) -> str:
    """Own tokens, blocks and finishes of all paths, in words."""
    paths = [path for group in groups for path in group]
    own = np.mean([path.count(*SAMPLED) + path.tokens_cut for path in paths])
    blocks = np.mean([path.blocks for path in paths])
    finish = ", ".join(f"{name} {100 * n / len(paths):.1f}%" for name, n in Counter(p.finish for p in paths).items())
    return f"{own:.0f} own tokens, {blocks:.2f} blocks a path; {finish}"


def print_buckets(reference: Correct) -> None:
    """Questions per difficulty bucket, by right answers among 32 (Section 5.2.2)."""
    right = reference[:, :32].sum(axis=1)
    counts = {name: int(((right >= low) & (right <= high)).sum()) for name, (low, high) in BUCKETS.items()}
    print(f"Difficulty buckets of {len(right)} questions: {counts}")


async def print_leap(run: Evaluation, alone: Correct) -> None:
    """LeaP against independent sampling: paired differences, and what became of the same beginnings."""
    print("\n| router | Pass@1 % | minus independent | wrong to right | right to wrong | decoding |")
    print("|---|---|---|---|---|---|")
    routers = {
        "dispersed 4": Dispersed(4),
        "dispersed 2": Dispersed(2),
        "clustered 4": Clustered(4),
        "random 4": Randomly(4),
    }
    for name, router in routers.items():
        paths = await run.decode(run.leap(router))
        peers = run.correct(paths, run.problems)
        gain = interval((peers - alone).mean(axis=1))
        mended, spoiled = ((1 - alone) * peers).mean(), (alone * (1 - peers)).mean()
        shares = f"{100 * mended:.1f}% | {100 * spoiled:.1f}%"
        print(f"| {name} | {interval(peers.mean(axis=1))} | {gain} | {shares} | {describe(paths)} |", flush=True)


async def print_trap(run: Evaluation, reference: list[list[Path]], alone: Correct) -> None:
    """Bad and good beginnings of 15% and 30%, continued alone and with peers (Section 2)."""
    right = run.correct(reference, run.problems)
    mixed = [i for i, row in enumerate(right) if 0 < row.sum() < len(row)]
    problems = [run.problems[i] for i in mixed]
    if not mixed:
        print("\nTrap: no question has right and wrong responses")
        return
    print(f"\nTrap, on the {len(mixed)} questions with right and wrong responses\n")
    print("| beginning | method | Pass@1 % | minus no beginning |")
    print("|---|---|---|---|")
    methods: dict[str, Method] = {"independent": run.independent(), "dispersed 4": run.leap(Dispersed(4))}
    for fraction in (0.15, 0.3):
        for name, wanted in (("bad", 0), ("good", 1)):
            beginnings = {
                q.id: beginning(q, reference[i], right[i] == wanted, fraction)
                for q, i in zip(problems, mixed, strict=True)
            }
            for method_name, method in methods.items():
                scores = run.correct(await run.decode(method, beginnings=beginnings), problems).mean(axis=1)
                change = interval(scores - alone[mixed].mean(axis=1))
                print(f"| {fraction:.0%} {name} | {method_name} | {interval(scores)} | {change} |", flush=True)


def beginning(problem: Problem, paths: list[Path], wanted: NDArray[np.bool_], fraction: float) -> tuple[int, ...]:
    """The first tokens of one of the wanted responses, drawn with the question's own seed."""
    chosen = rng_for("beginning", problem.id).choice([path for path, take in zip(paths, wanted, strict=True) if take])
    own = [token for segment in chosen.segments if segment.kind in SAMPLED for token in segment.tokens]
    return tuple(own[: max(1, round(fraction * len(own)))])


async def _main() -> None:
    from leap_lab.engines.vllm import VllmEngine

    args = _arguments()
    engine = await VllmEngine.start(model=args.model, max_model_len=args.max_model_len)
    try:
        problems = generate(args.questions, args.seed, "test")
        sampling = Sampling(args.temperature, args.top_p)
        await evaluate(Evaluation(engine, problems, args.peers, args.interval, args.max_tokens, sampling, args.seed))
    finally:
        await engine.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--peers", type=int, default=16)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--interval", type=int, default=64)
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--max-model-len", type=int, default=2048)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--top-p", type=float, default=0.95)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(_main())
