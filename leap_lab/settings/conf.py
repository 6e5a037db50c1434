"""The folder of settings, conf/, and a user's own folders, for Hydra to compose from.

conf/ is found beside the package and never imported, so a user's own `conf.py` or `conf/` does not hide it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab import home
from leap_lab.errors import UserError, one_line

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONF = Path(__file__).parents[2] / "conf"
VERSION_BASE = "1.3"


@contextmanager
def opened(search: Sequence[str] = ()) -> Iterator[None]:
    """Within it `compose` and `choices` know conf/ and the folders of `search` (paths, `file://` or `pkg://`).

    A surrounding context of Hydra, such as that of a program that calls leap_lab, is restored afterwards.
    """
    from hydra import initialize_config_dir
    from hydra._internal.config_repository import ConfigRepository
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig

    places = [place(path) for path in search]
    hydras = HydraConfig.instance()
    known = hydras.cfg
    around, GlobalHydra.instance().hydra = GlobalHydra.instance().hydra, None  # Hydra refuses a context in another
    try:
        with initialize_config_dir(str(CONF), version_base=VERSION_BASE):
            loader: Any = GlobalHydra.instance().config_loader()
            for each in places:
                loader.get_search_path().prepend("user", each, "schema")  # Hydra needs "schema" to be last
            loader.repository = ConfigRepository(loader.get_search_path())
            yield
    finally:
        GlobalHydra.instance().hydra, hydras.cfg = around, known


def place(path: str) -> str:
    """A folder of settings as Hydra names it; `UserError` where there is none."""
    if "://" in path:
        scheme, _, rest = path.partition("://")
        return f"{scheme}://{home.path(rest)}" if scheme == "file" else path
    folder = home.path(path).resolve()
    if not folder.is_dir():
        raise UserError(f"--config-dir={path}: no such folder")
    return f"file://{folder}"


def compose(overrides: Sequence[str], with_hydra: bool = False) -> "DictConfig":
    """The configuration of these overrides, interpolations not yet resolved; raises Hydra's own errors.

    `${hydra:...}` stands for what Hydra's own settings are in the last configuration that was composed.
    """
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    try:
        config = hydra.compose("config", overrides=list(overrides), return_hydra_config=True)
    except AssertionError as error:  # Hydra's and OmegaConf's own, about unusual settings
        raise UserError(f"{' '.join(overrides)}: invalid setting ({one_line(error, 200)})") from error
    if with_hydra:
        return config
    HydraConfig.instance().set_config(deepcopy(config))
    with open_dict(config):
        del config["hydra"]
    return config


def choices(group: str) -> list[str]:
    """The names of a group, such as `router`, sorted."""
    from hydra.core.global_hydra import GlobalHydra

    options: list[str] = GlobalHydra.instance().config_loader().get_group_options(group)
    return options
