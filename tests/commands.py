"""Commands that tests run, and what they leave: run folders, group files, the printed table."""

from pathlib import Path

import pandas as pd

from leap_lab.run import main

SMALL = ["engine=scripted", "tracking=none", "peers=4", "limit=3"]
ALONE = ["engine=scripted", "tracking=none", "baseline=false", "peers=4", "router.top_k=2"]


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of one command."""
    status = main(list(arguments))
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def run_folders(runs: Path) -> list[Path]:
    return sorted(file.parent for file in runs.glob("*/identity.json"))


def group_files(runs: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in runs.glob("*/groups/*.parquet")}


def table_of(out: str) -> str:
    return out.partition("\nreport:")[0]


def rows_of(runs: Path) -> pd.DataFrame:
    """All that was decoded, without times."""
    found = pd.concat(pd.read_parquet(file) for file in sorted(runs.glob("*/groups/*.parquet")))
    return found.drop(columns=["started_s", "finished_s"]).map(str).reset_index(drop=True)
