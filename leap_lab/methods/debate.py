"""Multi-agent debate (Du et al., arXiv 2305.14325): agents read each other's last messages and update their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.references import Ask, Part, References, answer_of
from leap_lab.methods.rounds import begin, share, succeed, think
from leap_lab.methods.writer import Writer
from leap_lab.path import Kind, Path, Route

MEMORIES = ("ids", "chat")
Turns = tuple[tuple[str, str], ...]  # of an agent's chat: what the user said, and the reply


@dataclass(frozen=True)
class Debate(Method):
    """N agents, one chat each. In the first of the `rounds` every agent answers by itself. In each later one the user
    quotes to it the last messages of all other agents, in their order, and asks for an updated answer (`update`).

    A message is what follows the thinking (all of it where the agent ended inside that). `memory` says what an agent
    knows of its own earlier rounds: `ids` keeps every token of its chat, thinking included, and goes on behind it;
    `chat` renders the chat anew with the messages alone, as chat templates do, so that earlier thinking is gone.

    The agents of the last round are returned, and their majority is the group's decision. An agent in earlier rounds
    is its helper. `max_tokens` is an agent's own budget over all rounds, earlier answers included; a round may think
    for an equal share of what is left. Beginnings apply to the first round. A path's route says whom it read.

    Sampled: at most N x max_tokens and the last answers. Prompts: N x rounds; with `ids` an agent's next prompt holds
    its last one, so that a prefix cache holds that, and grows by N - 1 messages a round; with `chat` it is computed
    again from the first reply on.

    Unlike in the released code, agents of any model that takes a second message are asked, and thinking is told apart
    from messages; messages are quoted on one line, and cut from the front where they would take more than half of the
    context that is left (an agent without any room for them is asked the question anew); one agent alone, which the
    code asks to check itself, is refused: `method=rsa method.subset=1` does that.
    """

    update: str
    rounds: int = 2
    memory: Literal["ids", "chat"] = "ids"

    budget: ClassVar[Literal["path", "rounds"]] = "rounds"

    def check(self, peers: int, context: int) -> None:
        """Somebody to debate with, and a budget that all rounds share."""
        super().check(peers, context)
        checks.integer("method.rounds", self.rounds, 1, self.max_tokens)
        checks.one_of("method.memory", self.memory, MEMORIES)
        References(self.update, "method.update").check()
        if peers < 2:
            raise UserError(f"peers={peers}: nobody to debate with; must be >= 2, or method=rsa method.subset=1")

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode round after round; the agents of the last one are returned."""
        if engine.tokens.form.turn is None and self.rounds > 1:
            raise UserError("method=debate: the model's chat template takes no second message; use method=moa or rsa")
        writer = self.writer(job, engine)
        agents, chats = writer.begin(), [_Chat(writer.prompts.question(job.problem))] * job.peers
        for turn in range(self.rounds):
            if turn:
                chats = [chat.replied(agent) for chat, agent in zip(chats, agents, strict=True)]
                agents, chats = self._after(agents, chats, turn, writer)
            left = self.rounds - turn
            await think(writer, agents, turn, (share(agent, self.max_tokens, left) for agent in agents))
        return agents

    def _after(
        self, before: Sequence[Path], chats: Sequence["_Chat"], turn: int, writer: Writer
    ) -> tuple[list[Path], list["_Chat"]]:
        """The agents of the next round, each with what the others said, and the chats that they are in."""
        said, updates = [answer_of(agent) for agent in before], References(self.update, "method.update")
        asked = [
            updates.asked([*said[:at], *said[at + 1 :]], writer, self._ask(before[at], chats[at], writer))
            for at in range(len(before))
        ]
        prompts = [_remembered(parts, agent) for (_, parts), agent in zip(asked, before, strict=True)]
        agents = succeed(begin(writer, turn, prompts, before), before)
        for agent, earlier in zip(agents, before, strict=True):
            agent.computed = earlier.computed
            agent.routes.append(Route(turn, tuple(other.index for other in before if other is not earlier), ()))
        return agents, [_Chat(user, chat.earlier) for (user, _), chat in zip(asked, chats, strict=True)]

    def _ask(self, agent: Path, chat: "_Chat", writer: Writer) -> Ask:
        """How the agent is asked something in its chat."""
        tokens = writer.tokens
        if self.memory == "chat":
            return lambda user: tokens.chat(user, tokens.form.opening, chat.earlier)
        before, after = tokens.form.turn or ("", "")
        return lambda user: [*agent.tokens, *tokens.encode(f"{before}{tokens.plain(user)}{after}")]


@dataclass(frozen=True)
class _Chat:
    """A chat as messages: the last one of the user, and the turns before it."""

    user: str
    earlier: Turns = ()

    def replied(self, agent: Path) -> "_Chat":
        """With the reply of the agent, so that the user can speak next."""
        return _Chat("", (*self.earlier, (self.user, answer_of(agent))))


def _remembered(parts: Sequence[Part], agent: Path) -> list[Part]:
    """The parts of a prompt, with the agent's own tokens apart where it goes on behind them."""
    (kind, first), *rest = parts
    own = agent.tokens
    if first[: len(own)] != own:
        return list(parts)
    return [(Kind.TRIGGER, own), (kind, first[len(own) :]), *rest]
