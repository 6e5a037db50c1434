"""`leap-lab run|analysis|train|bench ...`: one name for all commands, each the same as its `python -m`.

It also works in a folder whose own `analysis.py` would hide ours from `python -m analysis`.
"""

import importlib
import sys
from collections.abc import Sequence

from leap_lab import console

# Where the `main(arguments)` of each command is.
COMMANDS = {
    "run": ("leap_lab.run", "decode a run or a sweep, then print a table and write a figure"),
    "serve": ("leap_lab.serve.__main__", "serve a method as an endpoint that speaks OpenAI's protocol"),
    "analysis": ("analysis.__main__", "make tables and figures from runs"),
    "regrade": ("leap_lab.regrade", "grade runs again from what their paths wrote"),
    "judge": ("leap_lab.judge", "ask a model about answers that grading rejected"),
    "convert": ("leap_lab.convert", "make a model folder of a GGUF file"),
    "train traces": ("leap_lab.training.traces", "make a training set from runs"),
    "train sft": ("leap_lab.training.sft", "fine-tune a model on a training set"),
    "train leap-t": ("leap_lab.training.leap_t", "run and measure the whole loop of LeaP-T"),
    "train pretrain": ("leap_lab.builtin.pretrain", "train the built-in model from scratch"),
    "train evaluate": ("leap_lab.builtin.evaluate", "measure the built-in model"),
    "bench": ("leap_lab.benchmarks.__main__", "measure what LeaP costs over plain decoding"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; 2 for an unknown one."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["--version"], ["-V"]):
        print(console.version())
        return 0
    if not given or given[0] in ("--help", "-h"):
        print(_help())
        return 0
    name = next((name for name in COMMANDS if given[: len(name.split())] == name.split()), None)
    if name is None:
        print(f"error: {' '.join(given[:2])}: unknown command; allowed are {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    module, _ = COMMANDS[name]
    rest = given[len(name.split()) :]
    sys.argv = [f"leap-lab {name}", *rest]
    console.prefer_installed()
    status: int = importlib.import_module(module).main(rest)
    return status


def _help() -> str:
    lines = [f"  {name:<16} {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(["usage: leap-lab COMMAND ...", "", *lines, "", "leap-lab COMMAND --help describes a command."])


if __name__ == "__main__":
    sys.exit(main())
