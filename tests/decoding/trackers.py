"""A W&B that remembers what it was told, and a run for trackers to follow."""

import pathlib
from typing import Any

from leap_lab.decoding.tracking import Tracker


def row(path: int = 0, text: str = "so 4") -> dict[str, Any]:
    counts = {"blocks": 1, "aha": 0, "tokens_think": 5, "tokens_summary": 2, "tokens_comment": 3}
    segments = [{"kind": kind, "turn": 0, "text": text, "tokens": [1]} for kind in ("prompt", "think")]
    grade = {"gold": "4", "answer": None, "correct": False, "finish": "answered"}
    return {"question_id": "q", "group": 0, "path": path, **grade, **counts, "segments": segments}


def tell_everything(tracker: Tracker, folder: pathlib.Path, status: str = "finished") -> None:
    tracker.start(run_id="abc123", sweep="s1", config={"peers": 2}, folder=folder, provenance={"python": "3"})
    tracker.log({"pass1": 0.5})
    tracker.paths([row()])
    tracker.finish({"pass1": {"value": 0.5, "low": float("nan")}}, {}, status)


class FakeWandb:
    """A W&B module that remembers what it was told, and fails where it is told to."""

    def __init__(self, fails: str = "") -> None:
        self.fails, self.id = fails, "abc123"
        self.calls: list[str] = []
        self.summary: dict[str, Any] = {}
        self.told: dict[str, Any] = {}

    def __call__(self) -> "FakeWandb":
        self._note("import")
        return self

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if call == self.fails:
            raise RuntimeError(f"no {call}\ntoday")

    def Settings(self, **settings: Any) -> dict[str, Any]:
        return settings

    def Table(self, columns: list[str], data: list[list[Any]]) -> list[dict[str, Any]]:
        self._note("table")
        return [dict(zip(columns, line, strict=True)) for line in data]

    def Image(self, file: str) -> str:
        return f"image {pathlib.Path(file).name}"

    def Artifact(self, name: str, type: str) -> "FakeWandb":
        self.told["artifact"] = {"name": name, "type": type}
        return self

    def add_file(self, file: str, name: str, policy: str) -> None:
        assert pathlib.Path(file).is_file()
        self.told["artifact"][name] = policy

    def init(self, **arguments: Any) -> "FakeWandb":
        self._note("init")
        self.told["init"] = arguments
        return self

    def log(self, values: dict[str, Any]) -> None:
        self._note("log")
        self.told.setdefault("log", {}).update(values)

    def log_artifact(self, artifact: "FakeWandb") -> None:
        self._note("artifact")

    def finish(self, exit_code: int) -> None:
        self._note("finish")
        self.told["exit_code"] = exit_code
