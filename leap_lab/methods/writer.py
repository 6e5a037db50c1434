"""The writer of paths: what the model samples and what the runtime writes, within the budget and the context.

A path spends its own budget on thinking and summaries. Room for a forced answer is always kept, so that neither the
budget nor `max_model_len` can leave a path without an answer.
"""

import time
from collections.abc import Sequence, Sized
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal

from leap_lab.confidence import OFF, Recording
from leap_lab.engines.base import GREEDY, Completion, Engine, Purpose, Request, Sampling, Tokens
from leap_lab.methods.cutting import PARAGRAPH, before, parted, whole_paragraphs
from leap_lab.methods.forms import Form, form_of
from leap_lab.methods.job import Job
from leap_lab.path import Branch, Finish, Kind, Path, Route, share_beginning
from leap_lab.prompts import Prompts
from leap_lab.seeds import derive_seed, rng_for

MOST_OWN_BLOCKS = 3  # in a row; a path that opens more of them goes on without thinking further


@dataclass(frozen=True)
class Writer:
    """Writes the paths of one group. `max_tokens` is a path's own budget (thinking and summaries).

    `explained` says whether the prompt speaks of the exchange; without it every method asks the same.
    """

    job: Job
    engine: Engine
    prompts: Prompts
    sampling: Sampling
    max_tokens: int
    answer_tokens: int
    explained: bool = False
    recording: Recording = OFF  # which log-probabilities its paths ask for
    probing: Literal["before", "after"] | None = None  # the phase of the probe that is being written

    @cached_property
    def form(self) -> Form:
        """How the paths of this group exchange words."""
        return form_of(self.prompts, self.tokens)

    @property
    def tokens(self) -> Tokens:
        """The model's tokenizer and chat template."""
        return self.engine.tokens

    def begin(self) -> list[Path]:
        """N paths that hold the question, the opening of their thinking and their given beginnings."""
        paths, problem = self.blank(), self.job.problem
        prompt = self.prompt(*(self.form.ask(problem) if self.explained else (self.prompts.question(problem),)))
        for path in paths:
            path.add(Kind.PROMPT, 0, prompt, self.tokens.decode(prompt))
        for path, beginning in zip(paths, self.job.beginnings, strict=False):
            path.add(Kind.PREFIX, 0, beginning, self.tokens.decode(beginning))
        share_beginning(paths)
        return paths

    def blank(self) -> list[Path]:
        """N paths with nothing in them yet."""
        new, now = partial(Path, recording=self.recording), time.time()
        return [new(index, self._seed(index), started_s=now) for index in range(self.job.peers)]

    def prompt(self, user: str, opening: str = "") -> list[int]:
        """The chat template around a user message, the thinking opened where the model thinks, and its first words."""
        return self.tokens.chat(user, self.tokens.form.opening + opening)

    async def think(self, path: Path, turn: int, limit: int | None = None) -> bool:
        """Think for at most `limit` more own tokens. True when the path closed its thinking or ended its message.

        A block that the path opens of its own accord is cut, and it thinks on.
        """
        allowed = min(self.budget(path), self.room(path), limit if limit is not None else self.max_tokens)
        for again in range(MOST_OWN_BLOCKS + 1):
            if allowed < 1:
                return False
            done = await self._sample(path, f"think {again}" if again else "think", turn, allowed, *self._stops)
            if done.stop not in self._own:
                path.add(Kind.THINK, turn, done.tokens, self.tokens.decode(done.tokens))
                path.closed = done.stopped == "stop"
                return done.stopped != "length"
            allowed -= len(done.tokens)
            self._cut_own(path, turn, done)
        return False

    def _cut_own(self, path: Path, turn: int, done: Completion) -> None:
        """Add what was thought up to the block that the path opened itself."""
        kept = before(str(done.stop), done.tokens, self.tokens)
        path.add(Kind.THINK, turn, done.tokens[:kept], self.tokens.decode(done.tokens[:kept]))
        path.cut_back(len(done.tokens) - kept)
        path.own_blocks += 1

    def can_exchange(self, path: Path, summary_tokens: int) -> bool:
        """Whether budget and context allow a summary and some thinking after it."""
        return self.budget(path) > summary_tokens and self.room(path) > summary_tokens + self._exchange_tokens

    async def summarize(self, path: Path, turn: int, summary_tokens: int) -> str:
        """Ask for a summary and sample it; returns what of it can be passed on, without tags."""
        rng = rng_for(path.seed, turn, "trigger")
        lead = "" if self.form.again or path.segments[-1].text.rstrip(" ").endswith(PARAGRAPH) else PARAGRAPH
        self._write(path, Kind.TRIGGER, turn, lead + self.form.request(rng))
        done = await self._sample(path, "summary", turn, summary_tokens, self.form.stop)
        text = self.tokens.decode(done.tokens)
        path.add(Kind.SUMMARY, turn, done.tokens, text)
        if done.stopped != "stop" and self.form.unclosed:
            self._write(path, Kind.TRIGGER, turn, self.form.unclosed)
        for stop in self.form.stop:
            text = text.partition(stop)[0]
        return self.prompts.finding(text.strip(), done.stopped != "length")

    def comment(self, path: Path, turn: int, route: Route, summaries: Sequence[str]) -> bool:
        """Pass on what the routed peers wrote. False where the context has no room: then they are not heard."""
        encode, empty = (self.prompt if self.form.again else self.tokens.encode), [""] * len(summaries)
        tokens, wrapper = (
            encode(self.form.comment(self.job.problem, said, self.tokens.plain)) for said in (summaries, empty)
        )
        if self.form.again:
            heard = self._ask_again(path, turn, tokens)
        elif heard := len(tokens) < self.room(path):
            path.add(Kind.COMMENT, turn, tokens, self.tokens.decode(tokens))
        if heard:
            path.heard = (path.heard or 0) + max(0, len(tokens) - len(wrapper))
            path.routes.append(route)
        return heard

    def _ask_again(self, path: Path, turn: int, full: list[int]) -> bool:
        """Ask the question anew, with what peers wrote if there is room, and repeat the path's own words so far."""
        bare = self.prompt(self.prompts.question(self.job.problem))
        own = [token for part in path.segments if part.kind in (Kind.PREFIX, Kind.THINK) for token in part.tokens]
        heard = len(full) + len(own) < self.room(())
        head, received, tail = parted(full if heard else bare, bare)
        for kind, tokens in (Kind.AGAIN, head), (Kind.COMMENT, received), (Kind.TRIGGER, tail + own):
            path.add(kind, turn, tokens, self.tokens.decode(tokens))
        return heard

    async def finish(self, path: Path, turn: int, closed: bool) -> None:
        """Bring the path to its end: its final answer if it closed its thinking, else a forced one."""
        if closed:
            await self._final(path, turn)
        else:
            full = self.budget(path) > 0 and self.room(path) < 1
            await self._force(path, turn, "context_full" if full else "forced")
        path.finished_s = time.time()

    async def think_to_the_end(self, path: Path, turn: int, limit: int | None = None) -> None:
        """Think until the thinking closes or `limit`, budget or context are spent, then answer."""
        await self.finish(path, turn, await self.think(path, turn, limit))

    async def probe(self, path: Path, branch: Branch, probe_tokens: int) -> None:
        """Let a branch answer: greedily and at once, or after at most `probe_tokens` more tokens of thinking.

        A branch thinks as the path would, with its sampling and the seed of its next turn: what a path makes of a block
        is a matter of chance, which greedy decoding would hide. So the branch `after` a block is the path itself
        without any further block, and the branch `before` is the path without this block. Both may think beyond the
        path's own budget, so that late blocks are measured like early ones. Tokens of a branch are counted in
        `tokens_probe` of the path, and what the engine computes for it in `probe_usage`, apart from everything else.
        """
        copy, before = branch.path, branch.path.sampled
        sampling = self.sampling if probe_tokens else GREEDY
        writer = replace(self, sampling=sampling, max_tokens=copy.spent + probe_tokens, probing=branch.phase)
        await writer.think_to_the_end(copy, branch.turn + 1)
        path.tokens_probe += copy.sampled - before
        path.probe_usage += copy.usage

    def budget(self, path: Path) -> int:
        """Own tokens that the path may still sample."""
        return self.max_tokens - path.spent

    def room(self, path: Sized) -> int:
        """Tokens that still fit the context after a path or a prompt, with room kept for a forced answer."""
        return self.engine.max_model_len - len(path) - self._forced_tokens

    async def _final(self, path: Path, turn: int) -> None:
        """The answer after the thinking; forced where it does not end by itself."""
        path.finish = "answered"
        if path.closed:
            self._write(path, Kind.TRIGGER, turn, self.tokens.form.answer)
            if (room := self.room(path)) < 1:
                await self._force(path, turn, "context_full")
                return
            done = await self._sample(path, "final", turn, min(room, self._final_tokens))
            path.add(Kind.FINAL, turn, done.tokens, self.tokens.decode(done.tokens))
            if done.stopped == "length":
                await self._force(path, turn, "context_full" if room <= self._final_tokens else "forced")
                return
        if not self.prompts.states(path.thinking + path.final, self.job.problem):
            await self._force(path, turn, "forced")  # it ended its message without the answer that was asked for

    async def _force(self, path: Path, turn: int, finish: Finish) -> None:
        """Write the opening of an answer and let the model complete it."""
        path.finish = finish
        if not path.closed:
            self._write(path, Kind.TRIGGER, turn, self.tokens.form.closing)
        path.forced_at = len(path.segments)
        self._write(path, Kind.TRIGGER, turn, PARAGRAPH + self.prompts.force(self.job.problem))
        done = await self._sample(path, "answer", turn, self.answer_tokens, ("\n",))
        path.add(Kind.FINAL, turn, done.tokens, self.tokens.decode(done.tokens))

    async def _sample(
        self, path: Path, phase: str, turn: int, limit: int, stop: tuple[str, ...] = (), ids: tuple[int, ...] = ()
    ) -> Completion:
        seed = derive_seed(self._seed(path.index), turn, phase)
        purpose = Purpose(path.index, turn, phase, self.probing)
        place = self.job.priority, self.job.affinity, False, purpose, path.recording.top_logprobs
        request = Request(path.tokens, limit, seed, self.sampling, stop, ids, *place)
        completion = await self.engine.generate(request)
        path.bill(request, completion)
        return completion

    def _write(self, path: Path, kind: Kind, turn: int, text: str) -> None:
        path.add(kind, turn, self.tokens.encode(text), text)

    def cut(self, path: Path) -> None:
        """Remove the unfinished paragraph at the end of the thinking; its tokens stay on the bill."""
        last = path.segments[-1]
        if self.form.again or last.kind is not Kind.THINK:
            return
        kept = whole_paragraphs(last.tokens, self.tokens)
        path.cut_back(len(last.tokens) - kept)
        path.segments[-1] = replace(last, tokens=last.tokens[:kept], text=self.tokens.decode(last.tokens[:kept]))

    def _seed(self, index: int) -> int:
        return derive_seed(self.job.seed, self.job.problem.id, self.job.group, index)

    @property
    def _own(self) -> tuple[str, ...]:
        """What the paths must not open of their own accord; only what the prompt speaks of is ever imitated."""
        return self.form.own if self.explained else ()

    @cached_property
    def _stops(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """What ends a stretch of thinking: strings, and the id of the closing mark where it is one token."""
        close, identity = self.tokens.form.close, self.tokens.close_id
        if identity is not None:
            return self._own, (identity,)
        return ((close,) if close else ()) + self._own, ()

    @cached_property
    def _forced_tokens(self) -> int:
        form = self.tokens.form
        openings = form.closing, form.answer, PARAGRAPH + self.prompts.force(self.job.problem)
        return self.answer_tokens + sum(len(self.tokens.encode(opening)) for opening in openings)

    @cached_property
    def _exchange_tokens(self) -> int:
        """The most that a trigger, a closing tag and an empty comment take."""
        longest = max(len(self.tokens.encode(PARAGRAPH + request)) for request in self.form.requests())
        comment = "" if self.form.again else self.form.comment(self.job.problem, [], self.tokens.plain)
        return longest + len(self.tokens.encode(self.form.unclosed + comment))

    @cached_property
    def _final_tokens(self) -> int:
        """An answer is short compared to the thinking; a path that goes on for longer has its answer forced."""
        return max(self.answer_tokens, min(self.max_tokens, 2048))
