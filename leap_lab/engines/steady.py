"""An engine that tries a failed request once more: a hiccup must not cost a group what all its paths have written."""

import logging

from leap_lab.engines.base import Around, Completion, EngineDied, Request

log = logging.getLogger(__name__)


class Steady(Around):
    """Not tried again: a request that the engine refused (`ValueError`), and any once the engine died."""

    async def generate(self, request: Request) -> Completion:
        try:
            return await super().generate(request)
        except (EngineDied, ValueError):
            raise
        except Exception as error:
            reason = " ".join(str(error).split()) or "no reason given"
            log.warning("a request failed and is tried once more (%s: %.200s)", type(error).__name__, reason)
            return await super().generate(request)
