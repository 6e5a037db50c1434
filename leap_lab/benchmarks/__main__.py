"""`make bench`: measures, in one process, what LeaP costs over plain decoding of the same engine.

All figures are ratios of times taken in this run, on the built-in model. A missed target is
reported; the exit status is 0 either way, since a slow or busy machine is not a bug.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from leap_lab.benchmarks import alone, rates, work
from leap_lab.benchmarks.lockstep import LockStep
from leap_lab.decoding.provenance import collect
from leap_lab.engines.metered import Metered
from leap_lab.files import write_json
from leap_lab.settings.cell import Cell

ROUTERS, KS = ("clustered", "dispersed", "hybrid", "random"), (2, 4)


@dataclass(frozen=True)
class Line:
    """A measured figure; `target` is its bound and `met` whether it is within the bound, None without one."""

    name: str
    value: float
    unit: str = ""
    target: str = ""
    met: bool | None = None


@dataclass
class Bench:
    """Measures and prints, line by line. `scale` multiplies the number of questions of every part."""

    runs: Path
    scale: float = 1.0
    lines: list[Line] = field(default_factory=list)
    leap: work.Cost = field(init=False)  # what the LeaP run took

    def report(self, name: str, value: float, unit: str = "", target: str = "") -> None:
        """Record and print a figure with its bound, if it has one, such as `>= 0.8`."""
        self.lines.append(Line(name, value, unit, target, is_met(value, target)))
        print(_shown(self.lines[-1]), flush=True)

    def questions(self, count: int) -> str:
        return f"limit={max(1, round(count * self.scale))}"

    async def with_engine(self) -> None:
        """Everything that decodes on the built-in model, with one engine."""
        first = work.cell()
        started = time.monotonic()
        engine = Metered(await first.engine().start(first.model))
        self.report("start of the engine", time.monotonic() - started, "s")
        try:
            await work.solved(work.cell("limit=2"), engine)  # warms up
            await self._throughput(engine)
            await self._shared(engine)
            await self._lock_step(engine)
            await self._sweep(engine)
            await self._router_share(engine)
        finally:
            await engine.close()

    async def _throughput(self, engine: Metered) -> None:
        for name, each in (
            ("independent", work.cell("method=independent", self.questions(24))),
            ("LeaP", work.cell(self.questions(24))),
        ):
            cost = await work.decoded([each], engine, self.runs)
            self.report(f"{name}: sampled tokens", cost.sampled / cost.seconds, "/s")
            best = await self._rates(engine, each, cost)
            target = ">= 0.8" if name == "LeaP" else ""
            self.report(f"{name}: utilisation", best.floor(cost.sampled, cost.prefilled) / cost.seconds, target=target)
        self.leap = cost

    async def _rates(self, engine: Metered, each: Cell, cost: work.Cost) -> rates.Rates:
        sampling = each.method().sampling
        best = await rates.measured(engine, max(1, round(cost.in_flight)), round(cost.context), sampling)
        setting = f"the engine alone, {cost.in_flight:.0f} requests at once, context {cost.context:.0f}"
        self.report(f"  {setting}: decodes", best.decode, "/s")
        self.report(f"  {setting}: prefills", best.prefill, "/s")
        return best

    async def _shared(self, engine: Metered) -> None:
        sampling = work.cell().method().sampling
        own = await rates.measured(engine, 128, 200, sampling)
        with alone.busy_process():
            beside = await rates.measured(engine, 128, 200, sampling)
        name = "the engine beside one busy process: decode rate over that alone"
        self.report(name, beside.decode / own.decode, "x", target=">= 0.6")

    async def _lock_step(self, engine: Metered) -> None:
        each = work.cell(self.questions(8))
        ours, seconds = await work.solved(each, engine)
        theirs, slow = await work.solved(each, LockStep(engine))
        self.report("lock-step schedule: time over ours", slow / seconds, "x", target=">= 3")
        alike = sum(one.tokens == other.tokens for one, other in zip(ours, theirs, strict=True))
        self.report("same tokens in other batches", 100 * alike / len(ours), "% of paths")

    async def _sweep(self, engine: Metered) -> None:
        swept = [(f"router={router}", f"router.top_k={k}") for router in ROUTERS for k in KS]
        cells = [work.cell(*each, "seed=1", self.questions(6)) for each in swept]
        together = await work.decoded(cells, engine, self.runs / "together")
        best = await self._rates(engine, cells[0], together)
        floor = best.floor(together.sampled, together.prefilled)
        self.report("sweep of 8 cells: time over its floor", together.seconds / floor, "x", target="<= 1.1")
        alone_s = sum([(await work.decoded([each], engine, self.runs / "single")).seconds for each in cells])
        self.report("sweep of 8 cells: time over one after the other", together.seconds / alone_s, "x")

    async def _router_share(self, engine: Metered) -> None:
        each = work.cell("peers=64", self.questions(3))
        method, router = work.with_timed_router(each)
        _, seconds = await work.solved(each, engine, method)
        self.report("routing: share of time with 64 peers", 100 * router.seconds / seconds, "%", target="<= 1")

    def without_engine(self) -> None:
        """The journal, routing, start-up and memory."""
        cost = self.leap
        each = alone.journal_ms(self.runs, round(cost.context), round(cost.sampled / cost.requests))
        self.report("journal: share of LeaP's time", each * cost.requests / 10 / cost.seconds, "%", target="<= 2")
        for peers in (16, 64, 256):
            self.report(f"routing: one exchange of {peers} peers", alone.routing_ms(peers), "ms")
        self.report("start of --help", alone.start_s("-m", "leap_lab.run", "--help"), "s", target="<= 1.5")
        folders = map(str, sorted((self.runs / "together").glob("*/"))[:2])
        self.report(
            "analysis of two runs",
            alone.start_s("-m", "analysis", "report", *folders, f"--out={self.runs / 'report'}"),
            "s",
        )
        few, many = (alone.peak_mib(self.runs, round(count * self.scale)) for count in (10, 1000))
        self.report("peak memory over 10 questions", few, "MiB")
        self.report("peak memory: 1,000 questions over 10", many / few, "x", target="<= 1.1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m leap_lab.benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks.json"), help="JSON file for the figures")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="factor for the number of questions, small for a quick look"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.scale)
        asyncio.run(bench.with_engine())
        bench.without_engine()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, {"lines": [asdict(line) for line in bench.lines], "machine": collect()})
    missed = [line.name for line in bench.lines if line.met is False]
    print(f"Targets missed: {', '.join(missed) or 'none'}. Figures: {options.out}")
    print("Look next at docs/performance.md, which says what each figure means.")
    return 0


def is_met(value: float, target: str) -> bool | None:
    """Whether a figure is within its bound; None without one."""
    sign, _, bound = target.partition(" ")
    return {">=": value >= float(bound), "<=": value <= float(bound)}[sign] if target else None


def _shown(line: Line) -> str:
    value = f"{line.value:,.0f}" if abs(line.value) >= 100 else f"{line.value:.2f}"
    verdict = {True: "met", False: "MISSED", None: ""}[line.met]
    return f"{line.name:<68} {value:>8} {line.unit:<10} {line.target:<8} {verdict}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
