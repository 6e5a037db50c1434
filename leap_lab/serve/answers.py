"""Groups as OpenAI's protocol has them: choices, usage, chunks of a stream."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leap_lab.path import Path
from leap_lab.serve.groups import Group

OBJECTS = {"chat": ("chat.completion", "chat.completion.chunk"), "text": ("text_completion", "text_completion")}


@dataclass(frozen=True)
class Answer:
    """What a request is answered with. `kind` is `chat` or `text`; `close` ends the model's thinking.

    `stops` cut the content; with `shows_group` every choice has its whole group.
    """

    kind: str
    id: str
    created: int
    model: str
    groups: Sequence[Group]
    close: str
    stops: Sequence[str] = ()
    shows_group: bool = False

    def of(self, groups: Sequence[Group]) -> "Answer":
        """The same answer, of these groups."""
        return replace(self, groups=groups)

    @property
    def whole(self) -> dict[str, Any]:
        """The answer at once."""
        choices = [self._choice(index, group) for index, group in enumerate(self.groups)]
        return {**self._head(0), "choices": choices, "usage": self.usage}

    def chunks(self, include_usage: bool) -> Iterator[str]:
        """The answer as events of a stream, without the first one (`opening`)."""
        for index, group in enumerate(self.groups):
            words, more = self._words(group.speaker), self._more(group)
            if self.kind == "chat":
                if words["reasoning_content"]:
                    yield self._event(index, {"delta": {"reasoning_content": words["reasoning_content"]}})
                yield self._event(index, {"delta": {"content": words["content"]}})
                yield self._event(index, {"delta": {}, "finish_reason": _reason(group), **more})
            else:
                yield self._event(index, {"text": words["content"], "finish_reason": _reason(group), **more})
        if include_usage:
            yield _line({**self._head(1), "choices": [], "usage": self.usage})
        yield "data: [DONE]\n\n"

    def opening(self, count: int) -> Iterator[str]:
        """The first events of a stream of so many choices, before anything is decoded."""
        for index in range(count) if self.kind == "chat" else ():
            yield self._event(index, {"delta": {"role": "assistant", "content": ""}})

    @property
    def usage(self) -> dict[str, Any]:
        """All tokens that were sampled, of every path; those of a prompt once, as the client sent it."""
        prompts = {group.asked.problem.id: group.prompt_tokens for group in self.groups}
        sampled = sum(group.sampled for group in self.groups)
        shown = sum(len(_shown(group.speaker)) for group in self.groups)
        return {
            "prompt_tokens": sum(prompts.values()),
            "completion_tokens": sampled,
            "total_tokens": sum(prompts.values()) + sampled,
            "completion_tokens_details": {"reasoning_tokens": sampled - shown},
        }

    def _head(self, streamed: int) -> dict[str, Any]:
        return {"id": self.id, "object": OBJECTS[self.kind][streamed], "created": self.created, "model": self.model}

    def _choice(self, index: int, group: Group) -> dict[str, Any]:
        words = self._words(group.speaker)
        said = {"message": {"role": "assistant", **words}} if self.kind == "chat" else {"text": words["content"]}
        return {"index": index, **said, "logprobs": None, "finish_reason": _reason(group), **self._more(group)}

    def _words(self, path: Path) -> dict[str, Any]:
        """The content and the thinking of a path; where the model does not think, its words are the content."""
        thinking, final = path.thinking.removesuffix(self.close) if self.close else path.thinking, path.final
        content = (final or thinking).strip()
        for stop in self.stops:
            content = content.partition(stop)[0]
        return {"content": content, "reasoning_content": thinking.strip() if final else None}

    def _more(self, group: Group) -> dict[str, Any]:
        decision = {"answer": group.rows[group.chosen]["answer"], "support": round(group.support, 4)}
        paths = {"paths": [self._path(group, place) for place in range(len(group.paths))]} if self.shows_group else {}
        return {"leap": {**decision, "peers": len(group.paths), "path": group.speaker.index, **paths}}

    def _path(self, group: Group, place: int) -> dict[str, Any]:
        path, row = group.paths[place], group.rows[place]
        counts = ("tokens_think", "tokens_summary", "tokens_answer", "tokens_comment", "tokens_prefilled", "blocks")
        return {
            "path": path.index,
            "answer": row["answer"],
            "cluster": row["cluster"],
            "finish": path.finish,
            **self._words(path),
            **{name: row[name] for name in counts},
            "routes": row["routes"],
            "segments": [
                {"kind": part["kind"], "turn": part["turn"], "text": part["text"]} for part in row["segments"]
            ],
        }

    def _event(self, index: int, choice: Mapping[str, Any]) -> str:
        return _line({**self._head(1), "choices": [{"index": index, "finish_reason": None, **choice}]})


def _shown(path: Path) -> list[int]:
    """The sampled tokens of the content."""
    kinds = ("final",) if path.final else ("think",)
    return [token for segment in path.segments if segment.kind.value in kinds for token in segment.tokens]


def _reason(group: Group) -> str:
    return "stop" if group.speaker.finish == "answered" else "length"


def _line(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
