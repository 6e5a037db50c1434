"""What the endpoint does for a request, apart from HTTP."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leap_lab.decoding.tasks import first
from leap_lab.engines.base import Completion, EngineDied, Request, Sampling, TooLong
from leap_lab.engines.metered import Metered
from leap_lab.engines.retrying import Retrying
from leap_lab.errors import UserError, one_line
from leap_lab.files import storable
from leap_lab.serve.bodies import MOST_SEED, Body, RawBody
from leap_lab.serve.cells import Cells
from leap_lab.serve.errors import ApiError
from leap_lab.serve.groups import Asked, Group, decoded
from leap_lab.serve.keep import Keeper
from leap_lab.serve.metrics import Metrics
from leap_lab.serve.options import Options
from leap_lab.serve.pool import Full, Pool
from leap_lab.settings.cell import Cell
from leap_lab.tasks.problem import Problem

log = logging.getLogger(__name__)
MOST_QUESTIONS = 65536  # whose groups are counted


class Service:
    """Groups for requests, on one engine. `died` is called once, when the engine is gone."""

    def __init__(self, cells: Cells, engine: Metered, options: Options, died: Callable[[EngineDied], None]) -> None:
        self.cells, self.options, self._died = cells, options, died
        self.engine = Retrying(engine)
        config = cells.own.config
        self.name = options.name or str(config["model"]["name"])
        self.pool = Pool(config["concurrency"], options.queue)
        self.raw_pool = Pool(config["concurrency"] * config["peers"], options.queue * config["peers"])
        self.metrics = Metrics(self.pool)
        self.keeper = Keeper() if options.keep else None
        self.is_dead = False
        self._asked = OrderedDict[str, int]()  # how often a question was asked without a seed
        self._handed_out = 0

    def check_model(self, name: str) -> None:
        """`ApiError` for another model than this one."""
        if name != self.name:
            raise ApiError(
                404, f"model={name}: no such model; this endpoint has {self.name}", "model", "model_not_found"
            )

    async def wanted(self, body: Body, questions: Sequence[str]) -> list[Asked]:
        """The groups that a request wants, `n` for each question; `ApiError` for one that cannot be."""
        self.check_model(body.model)
        count = body.n * len(questions)
        if not 1 <= count <= self.options.most_choices:
            most = self.options.most_choices
            raise ApiError(400, f"n={body.n}: {count} groups in all; must be from 1 to {most}", "n")
        if body.seed is not None and not 0 <= body.seed < MOST_SEED - body.n:
            raise ApiError(400, f"seed={body.seed}: must be from 0 to {MOST_SEED - body.n - 1}", "seed")
        if not all(question.strip() for question in questions):
            raise ApiError(400, "the question is empty", "prompt")
        if any(storable(question) != question for question in questions):
            raise ApiError(400, "the question holds half of a character (a lone surrogate)", "prompt")
        cell = await self._cell(body)
        wanted = []
        for question in questions:
            problem = Problem(Problem("", question, "").content, question, "")
            number = body.seed if body.seed is not None else self._next(problem.id, body.n)
            wanted += [Asked(cell, problem, number + index) for index in range(body.n)]
        return wanted

    def admit(self, pool: Pool, count: int) -> None:
        """Make room for so many; `ApiError` where too many wait, or where the engine is gone."""
        if self.is_dead:
            raise ApiError(503, "the engine is gone", code="engine_gone")
        try:
            pool.admit(count)
        except Full as error:
            raise ApiError(503, f"{error}; try again later", code="overloaded", wait_s=error.wait_s) from None

    def decode(self, wanted: Sequence[Asked]) -> "asyncio.Task[list[Group]]":
        """Start to decode these, for which there is room; cancelling the task ends it."""
        self._handed_out += 1
        task = asyncio.create_task(self._all(wanted, self._handed_out))
        task.add_done_callback(lambda _: self.pool.release(len(wanted)))
        return task

    def continuation(self, body: RawBody) -> "asyncio.Task[Completion]":
        """Start one continuation of token ids, for which there is room."""
        request = Request(
            body.prompt,
            body.max_tokens,
            body.seed,
            Sampling(body.temperature, body.top_p, body.top_k, body.min_p),
            tuple(body.stop),
            tuple(body.stop_token_ids),
            body.priority,
            ignore_eos=body.ignore_eos,
        )
        task = asyncio.create_task(self._told(self.raw_pool.run(lambda: self.engine.generate(request))))
        task.add_done_callback(lambda _: self.raw_pool.release(1))
        return task

    async def _all(self, wanted: Sequence[Asked], priority: int) -> list[Group]:
        try:
            async with asyncio.TaskGroup() as groups:
                tasks = [groups.create_task(self._one(asked, priority)) for asked in wanted]
        except BaseExceptionGroup as group:
            raise first(group) from None
        return [task.result() for task in tasks]

    async def _one(self, asked: Asked, priority: int) -> Group:
        start = time.monotonic()
        group: Group = await self._told(self.pool.run(lambda: decoded(asked, self.engine, priority)))
        self.metrics.group(group, time.monotonic() - start)
        if self.keeper is not None:
            await self._keep(self.keeper, group)
        return group

    async def _keep(self, keeper: Keeper, group: Group) -> None:
        """Keep a group; a full disk does not cost the client its answer."""
        try:
            await keeper.keep(group)
        except Exception as error:
            log.warning("a group could not be kept (%s: %s)", type(error).__name__, one_line(error, 200))

    async def _told(self, work: Any) -> Any:
        """The result of the work; `ApiError` for what a client should know of its failure."""
        try:
            return await work
        except TooLong as error:
            raise ApiError(
                400, f"the question does not fit: {one_line(error)}", code="context_length_exceeded"
            ) from None
        except EngineDied as error:
            if not self.is_dead:
                self.is_dead = True
                self._died(error)
            raise ApiError(503, "the engine is gone", code="engine_gone") from None

    async def _cell(self, body: Body) -> Cell:
        """The cell of a request. `max_tokens` may only make a path's budget smaller."""
        chosen: Mapping[str, Any] = body.chosen
        try:
            cell = await asyncio.to_thread(self.cells.of, chosen)
            most = body.most_tokens
            if most is not None and most < cell.config["method"]["max_tokens"]:
                cell = await asyncio.to_thread(self.cells.of, {**chosen, "method.max_tokens": most})
        except UserError as error:
            raise ApiError(400, one_line(error), "leap" if body.leap else None) from None
        return cell

    def _next(self, question: str, count: int) -> int:
        """The first of the next groups of a question: the same question asked again is decoded anew."""
        number = self._asked.get(question, 0)
        self._asked[question] = number + count
        self._asked.move_to_end(question)
        if len(self._asked) > MOST_QUESTIONS:
            self._asked.popitem(last=False)
        return number
