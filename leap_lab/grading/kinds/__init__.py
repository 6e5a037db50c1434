"""One file per kind of answer: its `GRADER` is what a `Problem.kind` of the file's name means."""
