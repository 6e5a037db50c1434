r"""The letter that a text chooses, in the usual forms and in no other.

- a field: `ANSWER: C`, `"answer": "C"`, `**Answer:** (C)`, `Correct option: C`
- a statement: `the answer is C`, `the correct option is (C)`
- a box: `\boxed{C}`, `\boxed{\text{(C)}}`, `\boxed{C. 42}` (`leap_lab.grading.grade` finds it)
- a last line that is nothing but the letter, or that ends in `is (C)`, `choose (C)` and the like

A letter is a capital, and what follows it must end it: `The answer is A good one`, `Answer: C-H`, `A or B` and `A, B`
choose nothing. Every repetition is bounded, so that reading takes linear time.
"""

import re

_DRESS = r"(?:[\"'*_`$(\[{\s]|\\\(|\\(?:text|textbf|mathrm|mathbf)\{)"
_CLOSERS = r"[\"'*_`$)\]}]{0,8}"
_END = (
    rf"(?={_CLOSERS}(?:[^\S\n]{{0,8}}(?:\n|\Z)|[.;:!](?!\w)|,(?!\s{{0,3}}(?:or\s|and\s)?\(?[A-Z]\b)"
    rf"|\s{{1,4}}(?:because|since|as|which|[(\u2013\u2014-])|\\\)|<[|/])"
    rf"|[\"'*_`$}}]{{0,4}}[)\]](?!\s{{0,3}}(?:or|and|nor|/|&))[\"'*_`$}}]{{0,4}}\s)"
)
_LETTER = rf"{_DRESS}{{0,10}}(?:(?i:option|choice)\s{{1,3}})?{_DRESS}{{0,10}}([A-Z])"
_NAME = r"(?i:answer|(?:correct|right|best|final)\s{1,3}(?:option|choice|letter))"
_FIELD = re.compile(rf"(?<![A-Za-z]){_NAME}[\"'*_`]{{0,3}}\s{{0,4}}[:=]{_LETTER}{_END}")
_STATEMENT = re.compile(
    rf"(?<![A-Za-z])(?<!wrong )(?<!incorrect ){_NAME}\s{{1,4}}(?i:is|must\sbe|should\sbe|would\sbe)\b\s{{0,4}}:?"
    rf"{_LETTER}{_END}"
)
_LINE = re.compile(r"[\s*_$(\[]{0,8}([A-Z])[\s.*_$)\]]{0,8}")
_LINE_END = re.compile(r"\b(?i:be|is|choose|pick|select|answer|option|choice)\s\(([A-Z])\)[\s.*_$]{0,8}\Z")
_BOXED = re.compile(
    rf"{_DRESS}{{0,10}}(?:(?i:answer\s{{0,2}}[:=]|option|choice)\s{{0,3}})?{_DRESS}{{0,10}}([A-Z])"
    r"(?:[\s.*_$)\]}]*\Z|[.):]\}?\s)"
)


def stated(text: str) -> tuple[int, str] | None:
    """Where a field or a statement names a letter for the last time, and the letter."""
    named = [(match.start(1), match[1]) for form in (_FIELD, _STATEMENT) for match in form.finditer(text)]
    return max(named, default=None)


def last_line(text: str) -> str | None:
    """The letter that the last line is, or ends in."""
    line = text.rstrip().rpartition("\n")[2][-200:]
    found = _LINE.fullmatch(line) or _LINE_END.search(line)
    return found[1] if found else None


def boxed(content: str) -> str | None:
    """The letter in a box."""
    found = _BOXED.match(content)
    return found[1] if found else None
