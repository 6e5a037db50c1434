"""Served groups as run folders (`serve.keep=true`), so that they can be read like those of any run.

A run is of one setting of everything, so requests that choose others go to other folders. No right answer is known:
`gold` is empty and `correct` null.
"""

import asyncio
import time
from collections import OrderedDict

from leap_lab.decoding import provenance
from leap_lab.runs import ledger
from leap_lab.runs.folder import RunFolder
from leap_lab.serve.groups import Group
from leap_lab.settings.cell import Cell

DATASET = {"name": "served"}
MOST_OPEN = 16  # run folders at once
NOT_KEPT = ("runs_dir", "experiment")


class Keeper:
    """Writes groups into the run folders of their cells, one at a time; `close` finishes what is open."""

    def __init__(self) -> None:
        self._open = OrderedDict[str, tuple[RunFolder, Cell]]()
        self._turn = asyncio.Lock()
        self._provenance = provenance.collect()

    async def keep(self, group: Group) -> None:
        """Write one group."""
        async with self._turn:
            await asyncio.to_thread(self._write, group)

    async def close(self) -> None:
        """Write the ledger of every folder, and release it."""
        async with self._turn:
            while self._open:
                await asyncio.to_thread(self._close_oldest)

    def _write(self, group: Group) -> None:
        cell = group.asked.cell.but(dataset=DATASET)
        folder = self._folder(cell)
        rows = [{**row, "run_id": folder.run_id, "correct": None} for row in group.rows]
        folder.write_group(rows, group.asked.problem.content)

    def _folder(self, cell: Cell) -> RunFolder:
        if cell.run_id not in self._open:
            if len(self._open) >= MOST_OPEN:
                self._close_oldest()
            config = {key: value for key, value in cell.recorded.items() if key not in NOT_KEPT}
            folder = RunFolder.open(cell.config["runs_dir"], cell.identity, config)
            self._open[cell.run_id] = folder, cell
            self._record(folder, "interrupted")
        self._open.move_to_end(cell.run_id)
        return self._open[cell.run_id][0]

    def _close_oldest(self) -> None:
        _, (folder, cell) = self._open.popitem(last=False)
        try:
            self._record(folder, "finished")
            ledger.enter(folder, cell.engine(), cell.model)
        finally:
            folder.close()

    def _record(self, folder: RunFolder, status: str) -> None:
        known, groups = folder.read_run(), len(list(folder.stamps()))
        session = {**self._provenance, "status": status, "groups": groups}
        kept = [each for each in known.get("sessions", []) if each.get("started") != session["started"]]
        updated = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        run = {"run_id": folder.run_id, "status": status, "sessions": [*kept, session], "updated": updated}
        folder.write_run({**known, **run})
