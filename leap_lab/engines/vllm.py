"""vLLM in process: AsyncLLM behind the engine protocol, token ids in and out.

The only module that imports vllm, and only once an engine starts.
"""

import asyncio
import contextlib
import difflib
import gc
import itertools
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from leap_lab.engines.base import Completion, Request, Stopped
from leap_lab.errors import UserError

DEFAULTS = {"enable_prefix_caching": True, "scheduling_policy": "priority", "seed": 0}
# On a CPU: compiling takes longer than a small run; with the default blocks of 128 tokens the prefix cache would miss
# most of a short prompt (32 is the least); and a prompt prefilled in chunks kills vLLM 0.32 when its request has a
# seed ("CPU Generator does not use offset"), so that prompts go in whole.
CPU_DEFAULTS = {"enforce_eager": True, "max_num_seqs": 128, "block_size": 32, "enable_chunked_prefill": False}
CPU_BATCHED_TOKENS = 8192
CPU_CACHE_GIB = "2"
QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1", "TOKENIZERS_PARALLELISM": "false"}


class VllmEngine:
    """One model loaded by vLLM. Make it with `start`."""

    def __init__(self, llm: Any, tokenizer: Any, max_model_len: int, data_parallel_size: int) -> None:
        self.max_model_len = max_model_len
        self._llm, self._tokenizer, self._ranks = llm, tokenizer, data_parallel_size
        self._eos = _end_tokens(llm, tokenizer)
        self._names = itertools.count()

    @classmethod
    async def start(cls, model: str, log: bool = False, **engine_args: Any) -> "VllmEngine":
        """Load `model`, a folder or a hub id; `engine_args` are fields of vLLM's AsyncEngineArgs.

        Raises `UserError` for an unknown field or a model that cannot be loaded. vLLM's own output goes to a file
        unless `log` is set.
        """
        if not log:
            os.environ.update({key: os.environ.get(key, value) for key, value in QUIET.items()})
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", CPU_CACHE_GIB)
        with _hushed(log) as log_file:
            try:
                return cls._load(model, engine_args)
            except UserError:
                raise
            except Exception as error:  # whatever vLLM raises here, the user needs one line
                raise UserError(_why(model, error, log_file)) from error

    @classmethod
    def _load(cls, model: str, engine_args: dict[str, Any]) -> "VllmEngine":
        check_fields(engine_args)
        _check_folder(model)
        from vllm import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.v1.engine.async_llm import AsyncLLM

        defaults: dict[str, Any] = dict(DEFAULTS)
        if current_platform.is_cpu():
            longest = engine_args.get("max_model_len") or 0
            defaults |= CPU_DEFAULTS | {"max_num_batched_tokens": max(CPU_BATCHED_TOKENS, longest)}
        args = AsyncEngineArgs(model=model, **(defaults | engine_args))
        llm = AsyncLLM.from_engine_args(args)
        config = llm.vllm_config
        return cls(llm, llm.get_tokenizer(), config.model_config.max_model_len, config.parallel_config.data_parallel_size)

    def encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def chat(self, user: str) -> list[int]:
        messages = [{"role": "user", "content": user}]
        return self.encode(self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))

    async def generate(self, request: Request) -> Completion:
        """Sample one continuation; cancelling the caller aborts it in the engine, too."""
        self._check_room(request)
        output = None
        rank = request.pin % self._ranks if self._ranks > 1 else None
        stream = self._llm.generate(
            {"prompt_token_ids": list(request.prompt)},
            _sampling_params(request),
            f"leap-{next(self._names)}",
            priority=request.priority,
            data_parallel_rank=rank,
        )
        async for output in stream:
            pass
        if output is None:
            raise RuntimeError("vLLM ended a request without any output")
        return self._completion(output)

    async def close(self) -> None:
        if self._llm is not None:
            await asyncio.to_thread(self._llm.shutdown)
            self._llm = None
            gc.collect()  # AsyncLLM's finalizer must not wait for the interpreter's end, where it fails

    def _check_room(self, request: Request) -> None:
        length = len(request.prompt)
        if not length or request.max_tokens < 1 or length + request.max_tokens > self.max_model_len:
            raise ValueError(
                f"a prompt of {length} and max_tokens={request.max_tokens} do not fit max_model_len={self.max_model_len}"
            )

    def _completion(self, output: Any) -> Completion:
        (best,) = output.outputs
        tokens = list(best.token_ids)
        stop = best.stop_reason if isinstance(best.stop_reason, str) else None
        stopped: Stopped = "length" if best.finish_reason == "length" else "stop" if stop else "eos"
        if best.finish_reason not in ("stop", "length"):
            raise RuntimeError(f"vLLM ended a request with finish_reason={best.finish_reason}")
        if stopped == "eos" and tokens and tokens[-1] in self._eos:
            tokens.pop()
        return Completion(tokens, stopped, len(output.prompt_token_ids) - (output.num_cached_tokens or 0), stop)


def check_fields(engine_args: dict[str, Any]) -> None:
    """Refuse what AsyncEngineArgs does not have, with the nearest names. Needs vllm, loads no model."""
    import dataclasses

    from vllm import AsyncEngineArgs

    fields = {field.name for field in dataclasses.fields(AsyncEngineArgs)} - {"model"}
    for key in engine_args:
        if key not in fields:
            near = ", ".join(difflib.get_close_matches(key, fields)) or "see vLLM's AsyncEngineArgs"
            raise UserError(f"engine.{key}: vLLM has no such engine argument; allowed are its own fields ({near})")


def _check_folder(model: str) -> None:
    folder = Path(model).expanduser()
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise UserError(f"model.path={model}: the folder holds no config.json, so it is not a model")
    if not folder.exists() and (model.count("/") != 1 or model.startswith(("/", ".", "~"))):
        raise UserError(f"model.path={model}: neither a folder nor a hub id of the form owner/name")


def _sampling_params(request: Request) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    sampling = request.sampling
    return SamplingParams(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        min_p=sampling.min_p,
        max_tokens=request.max_tokens,
        seed=request.seed,
        stop=list(request.stop),
        include_stop_str_in_output=True,
        skip_special_tokens=False,
        detokenize=bool(request.stop),
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _end_tokens(llm: Any, tokenizer: Any) -> set[int]:
    """Every id that ends a turn: the tokenizer's and those of the generation config."""
    ids = llm.vllm_config.model_config.try_get_generation_config().get("eos_token_id")
    listed = ids if isinstance(ids, list) else [ids]
    return {token for token in [tokenizer.eos_token_id, *listed] if token is not None}


@contextlib.contextmanager
def _hushed(log: bool) -> Iterator[Path | None]:
    """Send stdout and stderr to a file while the engine starts; its processes keep writing there."""
    if log:
        yield None
        return
    handle, name = tempfile.mkstemp(prefix="leap_lab-vllm-", suffix=".log")
    sys.stdout.flush(), sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    os.dup2(handle, 1), os.dup2(handle, 2)
    try:
        yield Path(name)
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        for old, target in zip(kept, (1, 2), strict=True):
            os.dup2(old, target)
            os.close(old)
        os.close(handle)


def _why(model: str, error: Exception, log_file: Path | None) -> str:
    """One line on why a model did not load; vLLM often names the reason only in its log."""
    told = log_file.read_text(errors="replace") if log_file else ""
    causes = re.findall(r"\w*Error: (.+)", told) or [str(error) or type(error).__name__]
    reason = " ".join(causes[-1].split())[:300]
    where = f"; vLLM's log: {log_file}" if log_file else ""
    return f"model.path={model}: vLLM cannot load it ({reason}){where}"
