"""The tables in `cases/`: a line a case, `answer ≡ gold` or `answer ≢ gold`; lines that begin with # are comments."""

from pathlib import Path

CASES = Path(__file__).with_name("cases")
SUBJECTS = sorted(file.stem for file in CASES.glob("*.txt"))


def cases(subject):
    """Answer, gold, and whether they are the same."""
    found = []
    for line in (CASES / f"{subject}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            sign = " ≡ " if " ≡ " in line else " ≢ "
            answer, gold = line.split(sign)
            found.append((answer, gold, sign == " ≡ "))
    return found
