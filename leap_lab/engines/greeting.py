"""What a server holds, before it is asked to decode: the model, its vocabulary and context, and token ids.

A server of another model would decode something, and nobody would notice.
"""

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leap_lab.engines.models import Model, expanded, fingerprint
from leap_lab.engines.remote import Closed, Refused, Server
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError, brief, one_line

BLOCK = 2048  # token ids that are compared at a time
AT_ONCE = 8  # requests while vocabularies are compared
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Greeting:
    """What servers must hold: `model`, with these tokens and at least `max_model_len` positions.

    `name` is what they call the model; None: found from what they offer.
    """

    model: Model
    tokens: ModelTokens
    max_model_len: int
    name: str | None = None

    async def __call__(self, server: Server) -> None:
        """Find what the server calls the model; `UserError` says in what it differs.

        Raises `Failed` or `Busy` where the server does not answer.
        """
        try:
            server.name = await self._offered(server)
            await self._check_ids(server)
            await self._check_vocabulary(server)
        except Refused as error:
            raise UserError(one_line(error)) from None

    async def _offered(self, server: Server) -> str:
        cards = (await server.get("/v1/models")).get("data") or []
        card = self._chosen(server, [card for card in cards if isinstance(card, dict) and card.get("id")])
        if bool(card.get("parent")) != bool(self.model.lora):
            is_one = "an adapter" if card.get("parent") else "no adapter"
            raise UserError(
                f"{server.url}: {brief(card['id'])} is {is_one}, and model.lora={self.model.lora or 'null'}; "
                "set engine.model to the name of what is to decode"
            )
        if not self.model.lora:
            self._check_root(server, expanded(str(card.get("root") or card["id"])))
        length = card.get("max_model_len")
        if length is not None and length < self.max_model_len:
            raise UserError(
                f"engine.max_model_len={self.max_model_len}: {server.url} has {length}; start it with --max-model-len "
                f"{self.max_model_len}, or set engine.max_model_len={length}"
            )
        return str(card["id"])

    def _chosen(self, server: Server, cards: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The card of the model: that of `name`, else the one with the model's path, else the only base model."""
        if self.name is not None:
            found = [card for card in cards if card["id"] == self.name]
        else:
            bases = [card for card in cards if not card.get("parent")] if not self.model.lora else []
            known = [card for card in bases if self.model.path in (card["id"], card.get("root"))]
            found = known or (bases if len({card.get("root") or card["id"] for card in bases}) == 1 else [])
        if not found:
            offered = brief(", ".join(str(card["id"]) for card in cards) or "nothing", 200)
            told = "null" if self.name is None else self.name
            raise UserError(f"engine.model={told}: {server.url} offers {offered}; set engine.model to one of these")
        return found[0]

    def _check_root(self, server: Server, root: str) -> None:
        """The weights are those of `model.path`, as far as names, or folders on this machine, can tell."""
        mine, here = self.model.path, Path(self.model.path).is_dir()
        if root == mine:
            return
        if here and Path(root).is_dir():
            if fingerprint(root) != fingerprint(mine):
                raise UserError(f"{server.url}: its model, {brief(root)}, is another one than model.path={brief(mine)}")
        elif not here and HUB_ID.fullmatch(root) and not root.startswith("."):
            raise UserError(f"{server.url}: its model is {brief(root)}, and model.path={brief(mine)}")
        elif Path(root).name.lower() != Path(mine).name.lower():
            told = f"whether it has the weights of model.path={brief(mine)} cannot be told from here"
            _remark(server, f"calls its model {brief(root)}; {told}")

    async def _check_ids(self, server: Server) -> None:
        """Token ids go in as they are, and come out."""
        prompt = self.tokens.encode("1+1=")
        body = {"model": server.name, "prompt": prompt, "max_tokens": 1, "temperature": 0.0}
        answer = await server.post("/v1/completions", {**body, "return_token_ids": True, "priority": 1})
        choice = (answer.get("choices") or [{}])[0]
        if choice.get("token_ids") is None:
            raise UserError(
                f"{server.url}: offers text only, and paths are token ids; must be a vLLM that knows return_token_ids"
            )
        if (got := choice.get("prompt_token_ids")) != prompt:
            raise UserError(f"{server.url}: read the token ids {prompt} as {brief(got)}; it must take them as they are")
        if not (answer.get("usage") or {}).get("prompt_tokens_details"):
            _remark(server, "does not tell cached prompt tokens; start it with --enable-prompt-tokens-details")

    async def _check_vocabulary(self, server: Server) -> None:
        """Every token id means the same text; `UserError` names the first that does not."""
        ids = list(range(len(self.tokens.tokenizer)))
        limit = asyncio.Semaphore(AT_ONCE)

        async def differing(block: list[int]) -> list[int]:
            async with limit:
                return [] if await self._is_same(server, block) else block

        blocks = [ids[start : start + BLOCK] for start in range(0, len(ids), BLOCK)]
        for block in await asyncio.gather(*map(differing, blocks)):
            if block:
                raise UserError(await self._first_difference(server, block))

    async def _first_difference(self, server: Server, block: list[int]) -> str:
        while len(block) > 1:
            half = block[: len(block) // 2]
            block = block[len(half) :] if await self._is_same(server, half) else half
        theirs, mine = await self._said(server, block), self.tokens.decode(block)
        return (
            f"{server.url}: another vocabulary than that of model.path={self.model.path}: token {block[0]} is "
            f"{brief(repr(theirs))} there and {brief(repr(mine))} here"
        )

    async def _is_same(self, server: Server, block: list[int]) -> bool:
        """Whether these ids mean the same; some tokenizers take out spaces before punctuation as they decode."""
        theirs = await self._said(server, block)
        return theirs == self.tokens.decode(block) or theirs == self.tokens.tokenizer.decode(
            block, clean_up_tokenization_spaces=True
        )

    async def _said(self, server: Server, block: list[int]) -> str | None:
        try:
            return (await server.post("/detokenize", {"model": server.name, "tokens": block})).get("prompt")
        except Closed as error:
            raise UserError(
                f"{one_line(error)}: without /detokenize its vocabulary cannot be compared; must be a vLLM, and what "
                "stands before it must pass that on"
            ) from None


def _remark(server: Server, text: str) -> None:
    """Tell the user once."""
    if text not in server.remarks:
        print(f"note: {server.url}: {text}", file=sys.stderr)
    server.remarks.add(text)
