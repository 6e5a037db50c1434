"""A judge: a model reads a question, its right answer and an answer that grading rejected, and says yes or no.

The judge is one independent path on a question of its own, so that any model and engine can be one. What it says is
kept beside the run and changes no grade.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leap_lab.decoding.engines import Engines
from leap_lab.decoding.tasks import first
from leap_lab.engines.base import Engine, TooLong
from leap_lab.engines.retrying import Retrying
from leap_lab.grading.grade import equal, read
from leap_lab.methods.job import Job
from leap_lab.path import Path as ReasoningPath
from leap_lab.prompts import Prompts
from leap_lab.runs.identity import run_id_of
from leap_lab.runs.reading import read_groups
from leap_lab.settings.cell import Cell
from leap_lab.settings.objects import instantiate
from leap_lab.tasks.problem import LETTERS, Problem

WORDING = """\
Below are a question and two answers to it. Answer 1 is known to be right. Does Answer 2 say the same?

Question: {question}

{answers}

The same value, set or words in another form is the same answer. Another value, only a part of it, or a choice between \
several is not. Do not solve the question. Compare the two answers, and say yes or no."""
BOXED = re.compile(r"\\boxed\s*\{")
Asked = tuple[str, str, str]  # id of a question, its right answer, an answer


@dataclass(frozen=True)
class Rejected:
    """An answer that is not right by the rules."""

    question: Problem
    gold: str
    answer: str
    group: int
    path: int

    @property
    def asked(self) -> Asked:
        """What the judge reads of it; equal ones are asked once."""
        return self.question.id, self.gold, self.answer

    def verdict(self, said: str) -> dict[str, Any]:
        """As judged.json has it."""
        place = {"question_id": self.question.id, "group": self.group, "path": self.path}
        return {**place, "answer": self.answer, "gold": self.gold, "said": said}


def rejected(folder: Path, problems: Mapping[str, Problem]) -> list[Rejected]:
    """The answers of a run that are not right, of questions that its data set has; paths without one are left out."""
    columns = ("question_id", "group", "path", "gold", "answer", "correct")
    rows = read_groups(folder, columns).to_dict("records")
    return [
        Rejected(problems[row["question_id"]], row["gold"], row["answer"], int(row["group"]), int(row["path"]))
        for row in rows
        if not row["correct"] and isinstance(row["answer"], str) and row["question_id"] in problems
    ]


def identity(cell: Cell) -> dict[str, Any]:
    """What determines what a judge says: model, sampling, budget, seed, and the wording."""
    return {**cell.settled, "wording": WORDING}


def judge_id(cell: Cell) -> str:
    """12 hex digits that name a judge."""
    return run_id_of(identity(cell))


def known(verdicts: Iterable[Mapping[str, Any]]) -> dict[Asked, str]:
    """What a judge has said before."""
    return {(each["question_id"], each["gold"], each["answer"]): each["said"] for each in verdicts}


def judge(cell: Cell, engines: Engines, answers: Sequence[Rejected], said: dict[Asked, str]) -> None:
    """Ask about all answers that `said` does not have, and add what is said to it, one by one.

    Whatever ends this early, `said` has what was said until then.
    """
    wanted = {each.asked: each for each in answers if each.asked not in said}

    async def ask_all() -> None:
        engine, places = Retrying(await engines.for_cell(cell)), asyncio.Semaphore(cell.config["concurrency"])

        async def ask(each: Rejected) -> None:
            async with places:
                said[each.asked] = await _ask(cell, engine, each)

        async with asyncio.TaskGroup() as group:
            for each in wanted.values():
                group.create_task(ask(each))

    if wanted:
        try:
            engines.loop.run(ask_all())
        except BaseExceptionGroup as error:
            raise first(error) from None


async def _ask(cell: Cell, engine: Engine, each: Rejected) -> str:
    problem = question_of(cell, engine, each)
    job = Job(problem, 0, 1, cell.config["seed"])
    try:
        [path] = await cell.method().solve(job, engine)
    except TooLong:
        return "unclear"
    return await asyncio.to_thread(said_by, path, problem)


def question_of(cell: Cell, engine: Engine, each: Rejected) -> Problem:
    """What the judge is asked. Neither answer can pose as the other, or as anything but an answer."""
    prompts: Prompts = instantiate(cell.config["prompts"])
    answers = prompts.numbered("Answer", [each.gold, each.answer], engine.tokens.plain)
    options = (f"{letter}. {option}" for letter, option in zip(LETTERS, each.question.options, strict=False))
    text = WORDING.format(question="\n".join([each.question.text, *options]), answers=answers)
    return Problem(f"judge-{run_id_of({'asked': each.asked})}", text, "yes", kind="text")


def said_by(path: ReasoningPath, problem: Problem) -> str:
    """`yes` or `no` where that is what the one box after the thinking holds, and else `unclear`."""
    answer, note = read(path.final, path.thinking, problem)
    if answer is None or note != "clean" or len(BOXED.findall(path.final)) > 1:
        return "unclear"
    words = {"yes": equal(answer, problem), "no": equal(answer, Problem(problem.id, problem.text, "no", "text"))}
    return next((word for word, same in words.items() if same), "unclear")


def tally(answers: Sequence[Rejected], said: Mapping[Asked, str]) -> Counter[str]:
    """How many paths got which verdict."""
    return Counter(said[each.asked] for each in answers if each.asked in said)
