"""Full disks, changed folders and clocks at the command line."""

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.load import load
from analysis.measures.metrics import metrics
from leap_lab.run import main
from tests.commands import ALONE, group_files, rows_of, table_of
from tests.known_runs import EASY, write_run


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can grow beyond this size: what a full disk does to whoever writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def biggest(runs: Path, pattern: str) -> Path:
    return max(runs.glob(pattern), key=lambda file: file.stat().st_size)


SITES = {  # what is written, and what lies around and would be written before it
    "*/identity.json": ["*"],
    "*/config.yaml": ["*"],
    "*/groups/*.parquet": ["*/groups/*", "*/identity.json"],
    "*/run.json": ["*/run.json", "*/groups/*-3-0.parquet"],
    "*/metrics.json": ["*/metrics.json"],
    "reports/*/table.md": ["reports"],
    "reports/*/table.json": ["reports"],
    "reports/*/figure.png": ["reports"],
    "reports/*/figure.pdf": ["reports"],
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, str]:
    """An undisturbed run, and what it printed."""
    runs = tmp_path_factory.mktemp("whole")
    command = [sys.executable, "-m", "leap_lab.run", *ALONE, "limit=4", f"runs_dir={runs}"]
    return runs, subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("site", SITES)
def test_a_disk_that_is_full_at_any_write_leaves_nothing_half(tmp_path, capsys, whole, site):
    runs = tmp_path / "runs"
    shutil.copytree(whole[0], runs)
    size = biggest(runs, site).stat().st_size
    for pattern in SITES[site]:
        for found in runs.glob(pattern):
            shutil.rmtree(found) if found.is_dir() else found.unlink()
    command = [*ALONE, "limit=4", f"runs_dir={runs}"]
    with room_for(size - 1):
        status = main(command)
    out, err = capsys.readouterr()
    assert status == 1, err
    assert "File too large" in err.splitlines()[-1] or "groups failed" in err.splitlines()[-1]
    assert "Traceback" not in err and "Look next" not in out
    assert not list(runs.rglob(".*.unfinished"))
    for file in filter(Path.is_file, runs.rglob("*.json")):
        json.loads(file.read_text())
    assert main(command) == 0
    assert table_of(capsys.readouterr().out) == table_of(whole[1])
    assert rows_of(runs).equals(rows_of(whole[0]))


def changed(folder: Path, *keys: str, to: object) -> None:
    file = folder / "identity.json"
    identity = json.loads(file.read_text())
    node = identity
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = to
    file.write_text(json.dumps(identity))


@pytest.mark.parametrize(
    "keys, value, difference",
    [
        (["method", "interval"], 32, "method.interval was 32, now 64"),
        (["model"], "sha256:0123456789abcdef", "model was 'sha256:0123456789abcdef', now 'none'"),
        (["schema"], 0, "schema was 0, now "),
    ],
)
def test_a_folder_of_another_config_model_or_schema_is_refused(tmp_path, capsys, whole, keys, value, difference):
    shutil.copytree(whole[0], tmp_path / "runs")
    (identity,) = (tmp_path / "runs").glob("*/identity.json")
    changed(identity.parent, *keys, to=value)
    before = group_files(tmp_path / "runs")
    assert main([*ALONE, "limit=5", f"runs_dir={tmp_path / 'runs'}"]) == 2
    told = capsys.readouterr().err
    assert told.splitlines()[-1].startswith(f"error: {identity.parent}: made by another configuration: ")
    assert difference in told
    assert group_files(tmp_path / "runs") == before


def test_a_clock_that_goes_backwards_changes_no_metric(tmp_path):
    ahead, back = (write_run(tmp_path / name, EASY) for name in ("ahead", "back"))
    for file in (back / "groups").glob("*.parquet"):
        table = pq.read_table(file)
        earlier = pa.array([-3600.0] * len(table))
        pq.write_table(table.set_column(table.column_names.index("finished_s"), "finished_s", earlier), file)
    assert len(load([back], ["finished_s"]).query("finished_s < 0")) == len(load([ahead]))
    assert metrics(load([ahead])) == metrics(load([back]))
