"""An engine that tries a failed request once more, so that a passing fault does not cost a whole group."""

import logging

from leap_lab.engines.base import Completion, EngineDied, EngineWrapper, Request
from leap_lab.errors import one_line

log = logging.getLogger(__name__)


class Retrying(EngineWrapper):
    """A request that the engine refused (`ValueError`) is not tried again, nor any request after the engine died."""

    async def generate(self, request: Request) -> Completion:
        try:
            return await super().generate(request)
        except (EngineDied, ValueError):
            raise
        except Exception as error:
            log.warning("a request failed; trying it once more (%s: %s)", type(error).__name__, one_line(error, 200))
            return await super().generate(request)
