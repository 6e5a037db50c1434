"""vLLM in process: AsyncLLM behind the engine protocol, token ids in and out.

The only module that imports vllm, and only once an engine starts.
"""

import asyncio
import itertools
import logging
import os
from collections.abc import Collection, Mapping
from typing import Any

from leap_lab.engines import adapters, checkpoints
from leap_lab.engines.adapters import Adapter
from leap_lab.engines.base import Completion, EngineDied, Request, TooLong
from leap_lab.engines.finished import completion, largest
from leap_lab.engines.launch import Launched, check_fields, launched, on_cpu
from leap_lab.engines.models import Model
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError, one_line

DEFAULTS: dict[str, Any] = {
    "enable_prefix_caching": True,
    "scheduling_policy": "priority",
    "seed": 0,
    "disable_log_stats": True,  # nobody reads them, and they took a sixth of the process's time
}
# Measured on 2 cores with a model of 2.4M parameters. Compiling adds 11 to 29 s to a start of 15 s and gains 5%. With
# blocks of 128 tokens, the default, the prefix cache would miss most of a short prompt; 32 is the least there is. A
# prompt that is prefilled in chunks kills vLLM 0.32 when its request has a seed ("CPU Generator does not use offset"),
# so prompts are prefilled whole. `checkpoints.cpu_dtype` chooses the type of numbers.
CPU_DEFAULTS: dict[str, Any] = {
    "enforce_eager": True,
    "max_num_seqs": 256,
    "block_size": 32,
    "enable_chunked_prefill": False,
    "kv_cache_memory_bytes": 2 << 30,
}
# The model runs in the engine's process instead of one more: a start of 15 s instead of 22 s, 6,300 tokens/s instead of
# 3,600. Tensor and pipeline parallel workers are not affected. Threads that wait for each other give up their core
# after a short while: beside a busy process this doubles the speed, and alone it costs about 6% (docs/performance.md).
CPU_ENVIRONMENT = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "GOMP_SPINCOUNT": "2000"}


# Fields that decide where or how fast a run decodes, never what is sampled. A field that is missing here only makes a
# run of its own.
NOT_IDENTITY = {
    *("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size", "data_parallel_size_local"),
    *("data_parallel_backend", "data_parallel_address", "data_parallel_rpc_port", "distributed_executor_backend"),
    *("gpu_memory_utilization", "kv_cache_memory_bytes", "block_size", "swap_space", "cpu_offload_gb"),
    *("max_num_seqs", "max_num_batched_tokens", "max_parallel_loading_workers", "num_gpu_blocks_override"),
    *("enable_prefix_caching", "enable_chunked_prefill", "enforce_eager", "scheduling_policy", "download_dir"),
    *("disable_log_stats", "enable_log_requests", "max_logprobs", "seed"),  # every request has a seed of its own
}


MAX_LOGPROBS = 20  # vLLM's own default of max_logprobs


class VllmSettings:
    """`engine=vllm`: `fields` are of vLLM's AsyncEngineArgs. vLLM's own output goes to a file unless `log` is set."""

    uses_model = True

    @property
    def max_logprobs(self) -> int:
        """The most log-probabilities of a token that a request may ask for; -1: all."""
        most: int = self.fields.get("max_logprobs", MAX_LOGPROBS)
        return most

    def __init__(self, max_model_len: int, log: bool = False, **fields: Any) -> None:
        self.log, self.fields = log, {"max_model_len": max_model_len, **fields}

    def check(self, model: Model) -> None:
        """`UserError` for a field that vLLM does not have, a model or adapter that it cannot load, and where vLLM is
        not installed; does not import vllm."""
        check_fields(self.fields)
        _check(model, self.fields)

    def identity(self) -> dict[str, Any]:
        return {key: value for key, value in self.fields.items() if key not in NOT_IDENTITY}

    async def start(self, model: Model) -> "VllmEngine":
        return await VllmEngine.start(model, self.log, **self.fields)


class VllmEngine:
    """One model loaded by vLLM. Make it with `start`."""

    def __init__(self, launched: Launched[Any], tokens: ModelTokens) -> None:
        self._launched, self._llm = launched, launched.result
        self.tokens, config = tokens, self._llm.vllm_config
        self.max_model_len: int = config.model_config.max_model_len
        self.dtype = str(config.model_config.dtype).removeprefix("torch.")
        self._lora: Any = None  # the adapter that every request is decoded with
        self._ranks: int = config.parallel_config.data_parallel_size
        self._names = itertools.count()
        self._open = True

    @classmethod
    async def start(cls, model: Model, log: bool = False, **fields: Any) -> "VllmEngine":
        """Load `model`, its tokenizer first.

        Raises `UserError` for an unknown field or a model that cannot be loaded. Cancelling stops the loading.
        """
        check_fields(fields)
        checkpoints.fetch(model.path, model.revision)
        _check(model, fields)
        tokens = ModelTokens.of(model)
        adapter = adapters.fetched(model.lora, model.lora_revision) if model.lora else None
        engine = cls(await launched(model.path, lambda: _load(model, fields, adapter), log), tokens)
        if not log:
            logging.getLogger("vllm").setLevel(logging.CRITICAL)  # errors reach the caller as exceptions
        if adapter:
            await engine._adapt(str(model.lora), adapter)
        return engine

    async def generate(self, request: Request) -> Completion:
        """Sample one continuation; cancelling the caller also aborts it in the engine.

        Raises `EngineDied` when vLLM's processes died.
        """
        from vllm.v1.engine.exceptions import EngineDeadError

        self._check_room(request)
        try:
            return _completion(await self._final_output(request), request.stop_ids, request.top_logprobs)
        except EngineDeadError:
            raise EngineDied(f"vLLM's engine process died; its log: {self._launched.log_file}") from None

    async def close(self) -> None:
        if not self._open:
            return
        self._open, died = False, self._llm.errored
        await asyncio.to_thread(self._llm.shutdown)
        self._llm.shutdown = lambda: None  # its finalizer runs when the interpreter exits, and would fail then
        self._launched.release(keep_log=died)

    async def _adapt(self, name: str, adapter: Adapter) -> None:
        """Decode with an adapter from now on; `UserError`, and a closed engine, where vLLM cannot use it."""
        from vllm.lora.request import LoRARequest

        self._lora = LoRARequest("adapter", 1, str(adapter.folder))
        try:
            await self._llm.add_lora(self._lora)
        except Exception as error:  # whatever vLLM raises, the user needs one line
            await self.close()
            raise UserError(f"model.lora={name}: vLLM cannot load it ({one_line(error, 300)})") from error

    async def _final_output(self, request: Request) -> Any:
        stream = self._llm.generate(
            {"type": "token", "prompt_token_ids": list(request.prompt)},
            _sampling_params(request),
            f"leap-{next(self._names)}",
            lora_request=self._lora,
            priority=request.priority,
            data_parallel_rank=request.affinity % self._ranks if self._ranks > 1 else None,
        )
        return [output async for output in stream][-1]

    def _check_room(self, request: Request) -> None:
        length = len(request.prompt)
        if not length or request.max_tokens < 1 or length + request.max_tokens > self.max_model_len:
            size = f"a prompt of {length} and max_tokens={request.max_tokens}"
            raise TooLong(f"{size} do not fit max_model_len={self.max_model_len}")


def _check(model: Model, fields: Mapping[str, Any]) -> None:
    checkpoints.check(model.path, model.revision, fields, on_cpu())
    if model.lora:
        adapters.looked_at(model.lora)


def _load(model: Model, fields: dict[str, Any], adapter: Adapter | None = None) -> Any:
    from vllm import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.engine.async_llm import AsyncLLM

    pinned = {"revision": model.revision, "tokenizer_revision": model.revision}
    defaults = DEFAULTS
    if current_platform.is_cpu():
        dtype = checkpoints.cpu_dtype(checkpoints.configuration(model.path, model.revision))
        defaults = DEFAULTS | CPU_DEFAULTS | {"dtype": dtype}
        os.environ.update({key: os.environ.get(key, value) for key, value in CPU_ENVIRONMENT.items()})
    if adapter:
        defaults = defaults | {"enable_lora": True, "max_lora_rank": adapter.room}
    return AsyncLLM.from_engine_args(AsyncEngineArgs(model=model.path, **pinned, **(defaults | fields)))


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
        stop_token_ids=list(request.stop_ids),
        ignore_eos=request.ignore_eos,
        include_stop_str_in_output=True,
        skip_special_tokens=False,
        detokenize=bool(request.stop),
        output_kind=RequestOutputKind.FINAL_ONLY,
        logprobs=request.top_logprobs or None,
    )


def _completion(output: Any, stop_ids: Collection[int], top_logprobs: int = 0) -> Completion:
    (result,) = output.outputs
    prefilled = len(output.prompt_token_ids) - (output.num_cached_tokens or 0)
    places = [[each.logprob for each in place.values()] for place in result.logprobs] if top_logprobs else None
    reasons = result.finish_reason, result.stop_reason
    return completion(result.token_ids, *reasons, stop_ids, prefilled, largest(places, top_logprobs))
