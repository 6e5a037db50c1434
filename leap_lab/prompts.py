"""What the runtime writes into a path; the wording itself is in conf/prompts/.

Every text is a `str.format` template, so a literal brace is written twice.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from string import Formatter
from typing import Literal

import yaml

from leap_lab.errors import UserError
from leap_lab.files import storable
from leap_lab.tasks.problem import LETTERS, Problem

Plain = Callable[[str], str]
CONF_PROMPTS = Path(__file__).parents[1] / "conf" / "prompts"
SUMMARY_OPEN = "<summarize>"
SUMMARY_CLOSE = "</summarize>"
THINK_OPEN = "<think>"
THINK_CLOSE = "</think>"
FIELDS: dict[str, set[str]] = {  # the {fields} that a template may have
    "math": {"problem", "explanation"},
    "choice": {"problem", "options", "explanation"},
    "explanation": {"tag", "example"},
    "example": {"tag"},
    "head": {"example"},
    "force_math": set(),
    "force_choice": set(),
    "notes": {"comments"},
}
ASKED = ("math", "choice", "force_math", "force_choice")  # what a prompt set says where no exchange is explained
TAGS = ("comment", "peer_summaries", "summarize", "think", "tool_call", "tool_response")
CHAT = (  # in any model's template: <|im_end|>, <|User|>, <s>, <end_of_turn>, [INST], <<SYS>>
    "<[|\uff5c][^|\uff5c<>]*[|\uff5c]>|</?(?:s|bos|eos|pad|unk)>|<(?:start|end)_of_turn>|\\[/?INST\\]|<</?SYS>>"
)


@dataclass(frozen=True)
class Prompts:
    """One prompt set. `tag` is the tag that peers' words arrive in: `comment` or `peer_summaries`.

    `triggers` and `templates` are lists to draw from; a template opens `<summarize>`. `heard` follows a comment with
    peers, `alone` one without. `head` opens the thinking.

    `form` is how paths exchange words (`methods.forms`): `tags` in their own text, or `auto`, where models that do not
    think are told in the user's message. There `asked` are requests for a summary to draw from, `asked_lead` is how it
    begins, and `notes` hand over what peers wrote, in the place of the explanation.

    `nothing` is what a path writes that has nothing to report; such a summary is not passed on, nor is one that only
    repeats the example. With `unclosed` set to false a summary that did not end is not passed on either.
    """

    math: str
    choice: str
    triggers: Sequence[str]
    templates: Sequence[str]
    heard: str
    alone: str
    force_math: str
    force_choice: str
    tag: str = "comment"
    head: str = ""
    explanation: str = ""
    example: str = ""
    form: Literal["tags", "auto"] = "tags"
    asked: Sequence[str] = ()
    asked_lead: str = ""
    notes: str = ""
    nothing: str = ""
    unclosed: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.tag, str) or not re.fullmatch(r"[a-z_]+", self.tag):
            raise UserError(f"prompts.tag={self.tag!r}: must be lower-case letters and underscores, such as comment")
        for name, allowed in FIELDS.items():
            text = getattr(self, name)
            named = _fields(text) if isinstance(text, str) else None
            if named is None or not named <= allowed:
                known = " and ".join(f"{{{field}}}" for field in sorted(allowed)) or "no {fields}"
                raise UserError(f"prompts.{name}={text!r}: must be text with {known}; write a literal brace twice")
        if self.form not in ("tags", "auto"):
            raise UserError(f"prompts.form={self.form!r}: must be tags or auto")
        if self.form == "auto" and not (self.asked and "comments" in (_fields(self.notes) or ())):
            raise UserError("prompts.form=auto: needs prompts.asked, and prompts.notes with {comments}")
        if self.form == "auto" and (bare := [name for name in ("math", "choice") if not self._explains(name)]):
            raise UserError(f"prompts.form=auto: prompts.{bare[0]} needs {{explanation}}, the place of prompts.notes")
        if not self.triggers or not self.templates:
            raise UserError("prompts.triggers and prompts.templates: at least one of each is needed")
        if missing := [template for template in self.templates if SUMMARY_OPEN not in template]:
            raise UserError(f"prompts.templates: {missing[0]!r} does not open {SUMMARY_OPEN}")

    def _explains(self, name: str) -> bool:
        """Whether a template of a question has a place for an explanation."""
        return "explanation" in (_fields(getattr(self, name)) or ())

    @property
    def _example(self) -> str:
        return self.example.format(tag=self.tag)

    def user(self, problem: Problem) -> str:
        """The user message: the question, the form of the answer and, for untuned models, what the tags mean."""
        return self._ask(problem, self.explanation.format(tag=self.tag, example=self._example))

    def question(self, problem: Problem, notes: str = "") -> str:
        """The question and the form of the answer, no tags explained: a user message, or part of one that a method
        words. `notes` take the place of the explanation."""
        return self._ask(problem, notes)

    def opening(self) -> str:
        """The text that the thinking starts with; empty for tuned models."""
        return self.head.format(example=self._example)

    def summary_request(self, rng: Random) -> str:
        """A trigger and a template, each drawn at random; ends inside an open `<summarize>`."""
        return f"{rng.choice(self.triggers)}\n{rng.choice(self.templates)}".rstrip()

    def comment(self, summaries: Sequence[str], plain: Plain = str) -> str:
        """The chosen peers' summaries in the comment tag, and the sentence that makes the path consider them."""
        if not summaries:
            return f"\n<{self.tag}>\n</{self.tag}>\n\n{self.alone}\n\n"
        return f"\n<{self.tag}>\n{self.numbered('Peer', summaries, plain)}\n</{self.tag}>\n\n{self.heard}\n\n"

    def noted(self, summaries: Sequence[str], plain: Plain = str) -> str:
        """The chosen peers' summaries as a part of the user's message; empty where there are none."""
        return self.notes.format(comments=self.numbered("Peer", summaries, plain)) if summaries else ""

    def finding(self, summary: str, ended: bool) -> str:
        """What of a summary can be passed on; empty where it reports nothing, as the class says."""
        said = " ".join(summary.split()).lower()
        idle = self.nothing and said.strip(' ."').startswith(self.nothing.lower())
        repeated = bool(said) and bool(self.example) and said in " ".join(self._example.split()).lower()
        return "" if idle or repeated or not (ended or self.unclosed) else summary

    def states(self, text: str, problem: Problem) -> bool:
        """Whether a text has the form of answer that the question asked for, be the answer right or wrong."""
        return "\\boxed" in text or (problem.kind == "choice" and "answer" in text.lower())

    def force(self, problem: Problem) -> str:
        """The opening of a forced answer, written after the thinking is closed."""
        return (self.force_choice if problem.kind == "choice" else self.force_math).format()

    def _ask(self, problem: Problem, explanation: str = "") -> str:
        options = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, problem.options, strict=False))
        template = self.choice if problem.kind == "choice" else self.math
        return template.format(problem=problem.text, options=options, explanation=explanation).rstrip()

    def numbered(self, speaker: str, texts: Sequence[str], plain: Plain = str) -> str:
        """Texts by other speakers, one per line (`Peer 1: "..."`); none can end its line or pose as another.

        `plain` is the model's own way to keep control tokens out of a text (`Tokens.plain`).
        """
        return "\n".join(
            f'{speaker} {number}: "{plain(self._quote(text, speaker))}"' for number, text in enumerate(texts, start=1)
        )

    def _quote(self, text: str, speaker: str) -> str:
        """A text on one line that can neither end what it stands in nor pose as another speaker.

        Removed are control characters, the tags, and what a chat template or tokenizer would read as a special token.
        Double quotes become single ones, and `Peer 2:` loses the colon that opens a peer's line. Any other text
        stays as it is, except for white space.
        """
        text = "".join(
            character for character in storable(text) if character.isspace() or unicodedata.category(character) != "Cc"
        )
        tags = "|".join(sorted({self.tag, *TAGS}))
        control = re.compile(rf"<\s*/?\s*(?:{tags})\b[^<>]*>|{CHAT}", re.IGNORECASE)
        while control.search(text):  # what is left may form a tag again
            text = control.sub("", text)
        text = re.sub(rf"\b({speaker}\s*[0-9]+)\s*[:\uff1a]", r"\1", text, flags=re.IGNORECASE)
        return " ".join(text.replace('"', "'").split())


def _fields(template: str) -> set[str] | None:
    """The names in braces of a `str.format` template; None where it is none."""
    try:
        return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError:
        return None


def unexplained(template: str) -> str:
    """A template of a question without the place of the explanation: two sets that ask alike are equal in it."""
    return re.sub(r"\s*\{explanation\}", "", template)


def load_prompts(name: str, **changes: str) -> Prompts:
    """A prompt set of conf/prompts, as decoding will use it."""
    fields = yaml.safe_load((CONF_PROMPTS / f"{name}.yaml").read_text())
    return Prompts(**{key: value for key, value in fields.items() if key not in ("_target_", "name")} | changes)
