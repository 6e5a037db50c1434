"""`python -m leap_lab.serve`: a decoding method behind an OpenAI-compatible endpoint."""

import socket
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from leap_lab import console
from leap_lab.errors import UserError
from leap_lab.settings.arguments import HELP, Arguments

if TYPE_CHECKING:
    from leap_lab.serve.options import Options

NEEDED = ("fastapi", "uvicorn", "prometheus_client")
KEPT = "requests in flight are lost; groups that were kept stay"
USAGE = """usage: python -m leap_lab.serve [KEY=VALUE ...]

Serves a decoding method as an endpoint that speaks OpenAI's protocol. All settings of leap_lab.run choose what answers,
as in model=tiny method=leap peers=8; these are of the endpoint:

  port=8000              where it listens; 0: any free port
  host=127.0.0.1         0.0.0.0: to other machines, too
  serve.name=NAME        what clients call the model; else the model's name
  serve.queue=64         groups that may wait beside the `concurrency` that are decoded; more are answered by 503
  serve.most_peers=64    the most peers that a request may choose
  serve.most_choices=8   the most groups of a request (n)
  serve.most_bytes=1048576   the longest body
  serve.keep=false       true: keep every group as a run folder in runs_dir
  serve.key_variable=LEAP_LAB_API_KEY   the environment variable with the key that clients must send, if it is set
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `console.run`)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {*given} & {*HELP}:
        print(USAGE)
        return 0
    if "--version" in given:
        print(console.version())
        return 0
    return console.run(lambda: _serve(given), KEPT)


def _serve(given: Sequence[str]) -> int:
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise UserError(f"leap_lab.serve: needs {', '.join(missing)}; install leap-lab[serve]")
    arguments = Arguments.read(given)
    if arguments.multirun or arguments.printing:
        raise UserError(
            f"{(*arguments.printing, '-m')[0]}: not for leap_lab.serve; see python -m leap_lab.serve --help"
        )
    from leap_lab.decoding.engines import Engines
    from leap_lab.serve.cells import Cells
    from leap_lab.serve.options import divided
    from leap_lab.serve.running import until_stopped

    options, rest = divided(arguments.overrides)
    cells = Cells(Arguments(tuple(rest), search=arguments.search), options.most_peers)
    cells.own.engine().check(cells.own.model)
    engines = Engines()
    try:
        with _bound(options) as listener:
            return engines.loop.run(until_stopped(engines, cells, options, listener))
    finally:
        engines.close()


def _bound(options: "Options") -> socket.socket:
    """The socket, before anything slow: a taken port is refused at once. It listens when the engine is ready."""
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise UserError(f"port={options.port}: cannot listen on {options.host} ({error.strerror or error})") from error
    return bound


if __name__ == "__main__":
    sys.exit(main())
