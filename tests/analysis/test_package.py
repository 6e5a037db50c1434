"""The package as a whole: it can be loaded under another name, so that a user's own `analysis` does no harm."""

import ast
from pathlib import Path

import analysis


def test_modules_of_the_package_import_each_other_by_relative_names():
    for file in Path(analysis.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not [name for name in names if name.split(".")[0] == "analysis"], file
