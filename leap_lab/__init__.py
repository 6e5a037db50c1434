"""leap_lab: experiments on reasoning paths that learn from their peers (LeaP, arXiv 2505.07787).

The Python API. Everything here is loaded when it is first used, so that `import leap_lab` takes no time:

- `solve(question, *overrides)`, `run(*overrides)`, `engine(*overrides)`, `cell(*overrides)`: see `leap_lab.api`
- `load(folders)`: run folders as one table, one row per path (`analysis.load`)
- `Problem`, `Path`, `Kind`, `Prompts`, `load_prompts`, `Method`, `Leap`, `Router`, `Speaker`, `UserError`, `RunFailed`
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from analysis.load import load
    from leap_lab.api import RunFailed, cell, engine, run, solve
    from leap_lab.errors import UserError
    from leap_lab.methods.base import Method
    from leap_lab.methods.leap import Leap
    from leap_lab.path import Kind, Path
    from leap_lab.prompts import Prompts, load_prompts
    from leap_lab.routing import Router, Speaker
    from leap_lab.tasks.problem import Problem

__all__ = [
    "Kind",
    "Leap",
    "Method",
    "Path",
    "Problem",
    "Prompts",
    "Router",
    "RunFailed",
    "Speaker",
    "UserError",
    "cell",
    "engine",
    "load",
    "load_prompts",
    "run",
    "solve",
]

_PLACES = {
    **dict.fromkeys(("solve", "engine", "cell", "RunFailed"), "leap_lab.api"),
    **dict.fromkeys(("Path", "Kind"), "leap_lab.path"),
    **dict.fromkeys(("Prompts", "load_prompts"), "leap_lab.prompts"),
    **dict.fromkeys(("Router", "Speaker"), "leap_lab.routing"),
    "Problem": "leap_lab.tasks.problem",
    "UserError": "leap_lab.errors",
    "Method": "leap_lab.methods.base",
    "Leap": "leap_lab.methods.leap",
}


def __getattr__(name: str) -> Any:
    if name == "run":  # a module that can be called
        return import_module("leap_lab.run")
    if name == "load":
        from leap_lab.siblings import analysis

        return analysis("load").load
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
