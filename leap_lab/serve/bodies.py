"""What clients may ask, checked: OpenAI's chat and text completions, and `leap` for what is ours."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError, model_validator

from leap_lab.errors import brief
from leap_lab.serve.errors import ApiError

B = TypeVar("B", bound="Body")
# What changes the answer, and an endpoint of groups cannot do; as a client sets it to leave it out, it is allowed.
UNSUPPORTED = (
    *("tools", "functions", "tool_choice", "function_call", "logprobs", "top_logprobs", "logit_bias", "echo", "suffix"),
    *("frequency_penalty", "presence_penalty", "prediction", "web_search_options"),
)
PLAIN = {"response_format": {"type": "text"}, "modalities": ["text"], "tool_choice": "none", "function_call": "none"}
MOST_SEED = 2**31  # groups are counted in 31 bits
Positive = Annotated[StrictInt, Field(ge=1)]
Number = StrictInt | StrictFloat
Ids = list[Annotated[StrictInt, Field(ge=0)]]


class StreamOptions(BaseModel):
    """`include_usage`: end the stream with the usage."""

    include_usage: StrictBool = False


class Body(BaseModel):
    """What both kinds of completion share. Other fields of OpenAI's have no effect here."""

    model: StrictStr
    n: Positive = 1
    seed: StrictInt | None = None
    temperature: Number | None = None
    top_p: Number | None = None
    top_k: StrictInt | None = None
    min_p: Number | None = None
    stop: StrictStr | list[StrictStr] | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    stream: StrictBool = False
    stream_options: StreamOptions | None = None
    leap: dict[StrictStr, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, data: Any) -> Any:
        for key in UNSUPPORTED + tuple(PLAIN):
            if isinstance(data, dict) and data.get(key) and data[key] != PLAIN.get(key):
                raise ValueError(f"{key}={brief(data[key])}: an endpoint of groups does not support it; leave it out")
        return data

    @property
    def stops(self) -> list[str]:
        return [self.stop] if isinstance(self.stop, str) else [stop for stop in self.stop or [] if stop]

    @property
    def most_tokens(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def shows_group(self) -> bool:
        """Whether the answer is to hold the whole group."""
        return self.leap.get("paths") is True

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings that the request chooses, by their names on a command line."""
        sampling = {f"sampling.{name}": getattr(self, name) for name in ("temperature", "top_p", "top_k", "min_p")}
        given = {key: value for key, value in sampling.items() if value is not None}
        return given | {key: value for key, value in self.leap.items() if key != "paths"}


class Part(BaseModel):
    """A part of a message."""

    type: StrictStr
    text: StrictStr | None = None


class Message(BaseModel):
    """A message of a chat."""

    role: StrictStr
    content: StrictStr | list[Part]

    @property
    def text(self) -> str:
        """Its text; `ApiError` for an image or a sound."""
        if isinstance(self.content, str):
            return self.content
        if other := next((part.type for part in self.content if part.type != "text" or part.text is None), None):
            raise ApiError(400, f"messages: a part of type {brief(other)}; must be text", "messages")
        return "".join(str(part.text) for part in self.content)


class ChatBody(Body):
    """A chat: one message of the user, after any of the system."""

    messages: Annotated[list[Message], Field(min_length=1)]

    @property
    def question(self) -> str:
        """The question: what the system says stands before it, a paragraph of its own."""
        *before, last = self.messages
        if last.role != "user" or any(each.role not in ("system", "developer") for each in before):
            roles = ", ".join(brief(each.role, 20) for each in self.messages[-4:])
            raise ApiError(400, f"messages: {roles}; must be one question of the user, after any of system", "messages")
        return "\n\n".join(each.text for each in self.messages)


class TextBody(Body):
    """A text completion: a question, several, or the token ids of one continuation (`raw`)."""

    prompt: StrictStr | list[StrictStr] | Ids | list[Ids]

    @property
    def questions(self) -> list[str]:
        return [self.prompt] if isinstance(self.prompt, str) else [str(each) for each in self.prompt]


class RawBody(BaseModel):
    """One continuation of token ids, as vLLM takes it: what `engine=server` asks."""

    model: StrictStr
    prompt: Annotated[Ids, Field(min_length=1)]
    max_tokens: Positive = 16
    seed: Annotated[StrictInt, Field(ge=0, lt=2**63)] = 0
    temperature: Annotated[Number, Field(ge=0)] = 1.0
    top_p: Annotated[Number, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[StrictInt, Field(ge=-1)] = -1
    min_p: Annotated[Number, Field(ge=0, le=1)] = 0.0
    stop: list[StrictStr] = Field(default_factory=list)
    stop_token_ids: Ids = Field(default_factory=list)
    ignore_eos: StrictBool = False
    priority: StrictInt = 0
    return_token_ids: StrictBool = False

    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, data: Any) -> Any:
        neutral: dict[str, Any] = {"n": 1, "repetition_penalty": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0}
        neutral |= {"stream": False, "logprobs": None, "echo": False}
        for key, value in neutral.items() if isinstance(data, dict) else ():
            if data.get(key, value) not in (value, None):
                raise ValueError(f"{key}={brief(data[key])}: not for a prompt of token ids; must be {value}")
        return data


def checked(kind: type[B] | type[RawBody], data: Any) -> Any:
    """The body of a request; `ApiError` names the first field that is wrong."""
    if not isinstance(data, Mapping):
        raise ApiError(400, "the body must be a JSON object")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"][:3])
        told = str(first["msg"]).removeprefix("Value error, ")
        raise ApiError(400, f"{place}: {told}" if place else told, str(first["loc"][0]) if place else None) from None
