"""The programmatic reasoner whose traces the built-in model learns from.

Given the text of a path so far, it writes what comes next: a step of the chain, a check, a summary, a reaction to
peers. It runs behind the scripted engine under the real decoding methods, so training traces have LeaP blocks exactly
where decoding has them: right after a correction, in the middle of a check, after a cut.

It writes the first sum as a snap result, wrong with a rate set by the problem's level; every later step is exact. A
check by parts is always right, but rarely made unasked. When peers have another first value, the probability of a check
grows with every peer that differs, and more if the peer says that it checked. A peer's value is never adopted without a
check.
"""

import re
from dataclasses import dataclass, field
from random import Random

from leap_lab.engines.base import Request
from leap_lab.methods.exchange.notes import CLOSE as NOTES_CLOSE
from leap_lab.methods.exchange.notes import OPEN as NOTES_OPEN
from leap_lab.prompts import SUMMARY_CLOSE, SUMMARY_OPEN, THINK_CLOSE, THINK_OPEN
from leap_lab.tasks.arithmetic import level_of

WRONG_SNAP = {1: 0.01, 2: 0.2, 3: 0.5, 4: 0.88, 5: 0.99}  # rate of near misses by level
UNASKED_CHECK = {1: 0.08, 2: 0.08, 3: 0.08, 4: 0.08, 5: 0.01}  # at each of two points of a response
NEAR_MISSES = {-10: 0.3, 10: 0.15, -1: 0.2, 1: 0.2, -2: 0.075, 2: 0.075}
DOUBT, DOUBT_CHECKED = 0.25, 0.6  # chance that one differing peer, unchecked or checked, makes the path check

DRILL = "Check by parts:"
RETRIES = 1000  # to find a line that starts as the given one

_DRILLED = re.compile(rf"{DRILL} (\d+)\+(\d+)")
_SUM = re.compile(r"a=(\d+)\+(\d+)$", re.MULTILINE)
_STEP = re.compile(r"^([b-z])=[a-z]([+-])(\d+)$", re.MULTILINE)
_PEER = re.compile(r'^Peer \d+: "a=(-?\d+)( \(checked\))?', re.MULTILINE)
_HIDDEN = re.compile(rf"{SUMMARY_OPEN}.*?{SUMMARY_CLOSE}|<comment>.*?</comment>", re.DOTALL)
_EVENTS = re.compile(
    r"^(?:(?P<snap>a=\d+\+\d+=(?P<sum>-?\d+)\.)"
    r"|(?P<step>(?P<name>[b-z])=[a-z][+-]\d+=-?\d+[+-]\d+=(?P<value>-?\d+)\.)"
    r"|(?P<check>Check a=[^\n]*=(?P<checked>\d+)\.)"
    r"|(?P<verdict>Mine -?\d+, check \d+: \w+\. So a=\d+\.)"
    r"|(?P<compare>a: mine [^\n]*\.))$",
    re.MULTILINE,
)


@dataclass
class State:
    """The state of a path, parsed from its own words."""

    first: int | None = None  # the current value of a
    before: int | None = None  # its value before the check whose verdict is due
    checked: bool = False
    values: list[int] = field(default_factory=list)  # values derived from the current a, itself included
    heard: list[tuple[int, bool]] | None = None  # peers' first values, when a comparison is due

    def see(self, event: re.Match[str]) -> None:
        if event["snap"]:
            self.first = int(event["sum"])
            self.values = [self.first]
        elif event["step"]:
            self.values = [*self.values[: ord(event["name"]) - ord("a")], int(event["value"])]
        elif event["check"]:
            self.before, self.checked = self.first, True
            if self.first != int(event["checked"]):
                self.first = int(event["checked"])
                self.values = [self.first]
        elif event["verdict"]:
            self.before = None


@dataclass(frozen=True)
class Chain:
    """The problem, parsed from the question."""

    first: int
    second: int
    steps: list[tuple[str, str, int]]  # name, sign, amount

    @classmethod
    def parse(cls, question: str) -> "Chain":
        *_, summands = None, *_SUM.finditer(question)  # the last one, where it is asked once more
        if summands is None:
            raise ValueError(f"no first sum in {question!r}")
        steps = [(name, sign, int(amount)) for name, sign, amount in _STEP.findall(question, summands.end())]
        return cls(int(summands[1]), int(summands[2]), steps)

    @property
    def names(self) -> str:
        return "a" + "".join(name for name, _, _ in self.steps)

    def snap(self, rng: Random) -> str:
        total = self.first + self.second
        if rng.random() < WRONG_SNAP[level_of(self.second)]:
            total += rng.choices(list(NEAR_MISSES), list(NEAR_MISSES.values()))[0]
        return f"a={self.first}+{self.second}={total}."

    def step(self, position: int, value: int) -> tuple[str, int]:
        """The line that computes the value after `position` values are known, the last of them `value`."""
        name, sign, amount = self.steps[position - 1]
        result = value + amount if sign == "+" else value - amount
        return f"{name}={self.names[position - 1]}{sign}{amount}={value}{sign}{amount}={result}.", result

    def check(self) -> str:
        tens = self.first // 10 * 10, self.second // 10 * 10
        ones = self.first % 10, self.second % 10
        total = self.first + self.second
        return (
            f"Check a={self.first}+{self.second}: {tens[0]}+{tens[1]}={sum(tens)}, {ones[0]}+{ones[1]}={sum(ones)}, "
            f"{sum(tens)}+{sum(ones)}={total}."
        )


def write(text: str, request: Request) -> str:
    """The script of `ScriptedEngine`: everything that the reasoner writes until its end of sequence."""
    question, _, own = text.rpartition(THINK_OPEN)
    if DRILL in question:
        first, second = map(int, _DRILLED.findall(question)[0])
        return drill(first, second).removeprefix(own.lstrip("\n"))
    if own.rstrip().endswith(NOTES_OPEN):
        return notes(question)
    chain, state = Chain.parse(question), read(own)
    if own.rstrip().endswith("\\boxed{"):
        return f"{state.values[-1] if state.values else 0}}}."
    if own.rfind(SUMMARY_OPEN) > own.rfind(SUMMARY_CLOSE):
        return summary(chain, state)
    if THINK_CLOSE in own:
        return f"\n\nThe answer is \\boxed{{{state.values[-1]}}}."
    return resumed(chain, own, request.seed)


def resumed(chain: Chain, own: str, seed: int) -> str:
    """The rest of the response after `own`, which may end in the middle of a line; that line is completed."""
    whole, _, begun = own.rpartition("\n")
    for attempt in range(RETRIES if begun else 1):
        text = think(chain, read(f"{whole}\n"), Random(f"{seed}-{attempt}" if attempt else seed))
        if text.startswith(begun):
            return text.removeprefix(begun)
    return f"\n\n{text}"


def drill(first: int, second: int) -> str:
    """The response to a question that asks only for the check: practice for the skill that everything needs."""
    chain = Chain(first, second, [])
    return f"{chain.check()}\n\n{ending(first + second)}"


def ending(value: int) -> str:
    """The last line of the thinking, and the answer."""
    return f"So the answer is {value}.\n{THINK_CLOSE}\n\nThe answer is \\boxed{{{value}}}."


def read(own: str) -> State:
    """The state of a path from what follows its `<think>`."""
    state, end = State(), 0
    bare = _HIDDEN.sub(lambda hidden: " " * len(hidden[0]), own)
    for event in _EVENTS.finditer(bare):
        state.see(event)
        end = event.end()
    comment = own.rpartition("<comment>")[2]
    if own.rfind("<comment>") > end and (peers := _PEER.findall(comment)):
        state.heard = [(int(value), bool(checked)) for value, checked in peers]
    return state


def summary(chain: Chain, state: State) -> str:
    """What a path tells its peers: its first value, whether that is checked, and how far it got."""
    if state.first is None:
        return f" nothing yet. {SUMMARY_CLOSE}"
    checked = " (checked)" if state.checked else ""
    last = len(state.values) - 1
    reached = f", {chain.names[last]}={state.values[last]}" if last else ""
    return f" a={state.first}{checked}{reached}. {SUMMARY_CLOSE}"


def notes(request: str) -> str:
    """What a path notes for the others, from a request that quotes its last lines: checks, and what they refuted."""
    lines = []
    for event in _EVENTS.finditer(request):
        if event["check"]:
            lines.append(f"insight: a={event['checked']} by parts.")
        elif event["verdict"] and "wrong" in event["verdict"]:
            lines.append(f"pitfall: a={event['verdict'].split(',')[0].removeprefix('Mine ')} is wrong.")
    return "\n".join([*lines, NOTES_CLOSE])


def think(chain: Chain, state: State, rng: Random) -> str:
    """The rest of the thinking and the answer."""
    lines: list[str] = []
    doubt = 0.0
    if state.heard is not None and state.first is not None:
        lines.append(compare(state))
        doubt = doubt_of(state)
        state.before = None
    if state.before is not None:
        lines.append(verdict(state.before, state.first or 0))
    if state.first is None:
        lines.append(chain.snap(rng))
        see(state, lines[-1])
    if not state.checked and rng.random() < doubt:
        lines += check(chain, state)
    while len(state.values) <= len(chain.steps):
        if len(state.values) == 3 and unasked(chain, state, rng):
            lines += check(chain, state)
            continue
        lines.append(chain.step(len(state.values), state.values[-1])[0])
        see(state, lines[-1])
        if len(state.values) > len(chain.steps) and unasked(chain, state, rng):
            lines += check(chain, state)
    lines.append(ending(state.values[-1]))
    return "\n\n".join(lines)


def compare(state: State) -> str:
    """A line with what is compared: the path's own first value and those of the peers."""
    heard = state.heard or []
    peers = ", ".join(str(value) for value, _ in heard)
    return f"a: mine {state.first}{' checked' if state.checked else ''}, peers {peers}."


def doubt_of(state: State) -> float:
    """The chance of a check after hearing the peers: none without a peer that differs."""
    trust = 1.0
    for value, checked in state.heard or []:
        if value != state.first:
            trust *= 1 - (DOUBT_CHECKED if checked else DOUBT)
    return 1 - trust


def unasked(chain: Chain, state: State, rng: Random) -> bool:
    """Whether the path checks its first value without a reason from peers."""
    return not state.checked and rng.random() < UNASKED_CHECK[level_of(chain.second)]


def check(chain: Chain, state: State) -> list[str]:
    """A check by parts and its verdict; it updates the state."""
    mine = state.first or 0
    line = chain.check()
    see(state, line)
    state.before = None
    return [line, verdict(mine, state.first or 0)]


def verdict(mine: int, checked: int) -> str:
    """What a check says about the path's own value."""
    return f"Mine {mine}, check {checked}: {'right' if mine == checked else 'wrong'}. So a={checked}."


def see(state: State, line: str) -> None:
    """Update the state with a line that was just written."""
    event = _EVENTS.fullmatch(line)
    if event is None:
        raise ValueError(f"the reasoner wrote a line it cannot read: {line!r}")
    state.see(event)
