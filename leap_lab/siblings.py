"""The analysis package beside this one, even where a user's own `analysis.py` or `analysis/` is found first."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

HOME = Path(__file__).parents[1] / "analysis"
ALIAS = "leap_lab_analysis"


def analysis(name: str = "") -> ModuleType:
    """The module `analysis.<name>` of leap_lab. `import analysis` still finds a user's own module of that name."""
    package = "analysis" if _is_ours() else _alias()
    return importlib.import_module(f"{package}.{name}" if name else package)


def _is_ours() -> bool:
    loaded = sys.modules.get("analysis")
    spec = loaded.__spec__ if loaded else importlib.util.find_spec("analysis")
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve().parent == HOME.resolve()


def _alias() -> str:
    """Load our package under another name; its own imports are relative, so this works."""
    if ALIAS not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            ALIAS, HOME / "__init__.py", submodule_search_locations=[str(HOME)]
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[ALIAS] = module
        spec.loader.exec_module(module)
    return ALIAS
