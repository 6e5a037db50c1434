"""The command line: flags, KEY=VALUE overrides, and further folders of settings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leap_lab import home
from leap_lab.errors import UserError

MULTIRUN = ("-m", "--multirun")
CONFIG_DIR = ("--config-dir", "-cd")
HELP = ("--help", "-h")
# Flags of Hydra that print something and decode nothing.
PRINTING = (*HELP, "--hydra-help", "--cfg", "-c", "--info", "-i", "--shell-completion", "-sc", "--version")
ANY_KEY = re.compile(r"(?:engine|model\.chat)\.\w+=")  # vLLM and chat templates decide which keys there are
# A quoted text, or else a value that begins with ~, which Hydra's grammar takes only in quotes: after KEY=, or as part
# of a list, a sweep or a mapping.
TILDE = re.compile(
    r"""
    '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*"
    | (?<=[=,\[(:{]) (\s*) (file://)? (~ (?: \\. | \$\{[^}]*\} | [^,\[\](){}'"\\] )* )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Arguments:
    """A parsed command line."""

    overrides: tuple[str, ...]
    multirun: bool = False
    search: tuple[str, ...] = ()  # further folders of settings
    printing: tuple[str, ...] = ()  # the flags that print, with their values

    @classmethod
    def read(cls, given: Sequence[str]) -> "Arguments":
        """Parse; `UserError` for anything that is neither a known flag nor an override."""
        given = list(given)
        overrides, search, printing = list[str](), list[str](), list[str]()
        multirun = False
        while given:
            argument = given.pop(0)
            flag, equals, value = argument.partition("=")
            if argument in MULTIRUN:
                multirun = True
            elif flag in CONFIG_DIR:
                search.append(value if equals else _value(argument, given))
            elif flag in PRINTING:
                takes = given and argument in ("--cfg", "-c", "--info", "-i") and not given[0].startswith("-")
                printing += [argument, *([given.pop(0)] if takes else [])]
            elif argument.startswith("-") or not (equals or argument.startswith("~")):
                raise UserError(
                    f"{argument}: unrecognized argument; allowed are KEY=VALUE, -m, --config-dir and --help"
                )
            else:
                overrides.append(prepared(argument))
        if len(search) > 1:
            raise UserError(
                f"--config-dir={search[1]}: only one folder is allowed; add others with hydra.searchpath=[file://...]"
            )
        return cls(tuple(overrides), multirun, (*search, *_search_of(overrides)), tuple(printing))

    @property
    def for_hydra(self) -> list[str]:
        """The arguments for Hydra's own command line, flags first."""
        return [*(["-m"] if self.multirun else []), *self.printing, *self.folders, *self.overrides]

    @property
    def folders(self) -> list[str]:
        """The flags that name further folders of settings."""
        places = [str(home.path(place)) for place in self.search if "://" not in place]
        return [part for place in places for part in ("--config-dir", place)]


def _value(flag: str, given: list[str]) -> str:
    if not given:
        raise UserError(f"{flag}: needs a folder, as in {flag} my_conf")
    return given.pop(0)


def prepared(override: str) -> str:
    """An override for Hydra: with `++` before `engine.<field>=` and `model.chat.<argument>=`, and `~` in quotes.

    What `~` stands for is left to `rules.resolve`, except in settings of Hydra's own.
    """
    override = f"++{override}" if ANY_KEY.match(override) else override
    hydras = override.lstrip("+~").startswith("hydra.")

    def readable(match: re.Match[str]) -> str:
        if match[3] is None:
            return match[0]
        place = re.sub(r"\\(.)", r"\1", match[3].rstrip())
        return f"{match[1]}{quoted((match[2] or '') + (str(home.path(place)) if hydras else place))}"

    return TILDE.sub(readable, override)


def quoted(text: str) -> str:
    """A text as a value that Hydra's grammar takes literally."""
    escaped = re.sub(r"(\\*)(?='|$)", r"\1\1", text).replace("'", r"\'")
    return f"'{escaped}'"


def _search_of(overrides: Sequence[str]) -> tuple[str, ...]:
    """The places that `hydra.searchpath=[...]` names."""
    lists = [parsed(each).value() for each in overrides if each.lstrip("+").startswith("hydra.searchpath=")]
    return tuple(str(place) for each in lists for place in ([each] if isinstance(each, str) else each or ()))


def parsed(override: str) -> Any:
    """Hydra's own reading of an override."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create().parse_overrides([override])[0]


def combinations(overrides: Sequence[str]) -> list[list[str]]:
    """The overrides of every cell, as Hydra's own sweeper splits them; one empty list if there are none."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    [split] = BasicSweeper.split_arguments([parsed(each) for each in overrides], None) if overrides else [[[]]]
    return [list(each) for each in split]
