r"""The letter that a text chooses, in the usual forms and in no other.

- a field: `ANSWER: C`, `answer: c`, `"answer": "C"`, `**Answer:** (C)`, `<answer>C</answer>`, a heading and the letter
- a sentence: `the answer is C`, `C is correct`, `I choose option C`, `Hence, (C).`
- a box: `\boxed{C}`, `\boxed{\textbf{(C)}\ 12}`, or one that holds the words of an option
- a last line that is the letter, the letter and its text (`C) Photosynthesis`), or ends in `is (C)` and the like

What the text says last counts. A supposition, a negation and a question choose nothing, and neither do two letters at
once.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leap_lab.grading import choice_forms as forms
from leap_lab.grading.boxes import last_box
from leap_lab.grading.formula import words
from leap_lab.tasks.problem import LETTERS

BACK = 300  # characters of a sentence that are read before a letter
LONGEST_LINE = 400


@dataclass(frozen=True)
class Choice:
    """A place where a text chooses; None when what stands there is no letter of the question."""

    letter: str | None


def choice(text: str, letters: int, options: Sequence[str] = ()) -> Choice | None:
    """What the text chooses last among so many letters; None where it chooses nothing."""
    box = last_box(text)
    boxed = in_box(box.answer, options) if box and box.answer else None
    named = max(stated(text), default=None)
    if box and (boxed or box.answer is None) and box.start > (named[0] if named else -1):
        letter = boxed
    elif named:
        letter = named[1]
    else:
        letter = last_line(text, options)
        if letter is None and box is None:
            return None
    return Choice(letter if letter and letter in LETTERS[:letters] else None)


def stated(text: str) -> Iterator[tuple[int, str]]:
    """Where a field or a sentence names a letter, and the letter."""
    for form in forms.FORMS:
        for match in form.finditer(text):
            if _is_meant(text, match.start(), match.end(), form in forms.CLAIMS):
                group = match.lastindex or 1
                yield match.start(group), match[group].upper()
    for tag in forms.TAG.finditer(text):
        if letter := in_box(tag[2]):
            yield tag.start(2), letter


def _is_meant(text: str, start: int, end: int, is_claim: bool) -> bool:
    """Whether the sentence around a form neither supposes, denies nor asks, and names no second letter."""
    while text[start].isspace():
        start += 1
    before = forms.SENTENCE.split(text[max(0, start - BACK) : start])[-1]
    supposed = [match.end() for match in forms.SUPPOSED.finditer(before)]
    if supposed and not forms.CONCLUDED.search(before, supposed[-1]):
        return False
    if forms.NEGATED.search(forms.CLAUSE.split(before)[-1]):
        return False
    if not is_claim:
        return True
    if forms.TWO.search(before):
        return False
    word = re.search(r"[A-Za-z]+(?=[\s(*_\"'`$]*\Z)", before)
    if word and word[0].lower() not in forms.BEFORE_CLAIM:
        return False
    return not text[end : end + 3].lstrip(" *\"'").startswith("?")


def last_line(text: str, options: Sequence[str] = ()) -> str | None:
    """The letter that the last line is, begins with, or ends in."""
    above, _, line = text.rstrip().rpartition("\n")
    if len(line) > LONGEST_LINE:
        return None
    if found := forms.LINE.fullmatch(line) or forms.LINE_END.search(line):
        return found[1]
    labelled = forms.LABELLED.fullmatch(line)
    line_above = above.rstrip().rpartition("\n")[2]
    if labelled is None or (len(line_above) <= LONGEST_LINE and forms.LABELLED.fullmatch(line_above)):
        return None
    return None if forms.NO_OPTION.match(labelled[3]) else _agreed(labelled[1] or labelled[2], labelled[3], options)


def in_box(content: str, options: Sequence[str] = ()) -> str | None:
    """The letter in a box: alone, with its text, or as the text of one option."""
    plain = _flat(content.replace(r"\%", "%")).strip(" .")
    if found := forms.BOXED.fullmatch(plain):
        letter, mark, rest = found[1], found[2], found[3]
        if not rest.strip():
            return letter.upper()
        separated = mark and (rest[:1].isspace() or mark[-1] in ")]")
        if separated and letter.isupper() and not forms.SECOND.match(rest):
            return _agreed(letter, rest, options)
    same = [place for place, option in enumerate(options) if words.same(_flat(option), plain)]
    return LETTERS[same[0]] if len(same) == 1 else None


def _agreed(letter: str, text: str, options: Sequence[str]) -> str | None:
    """The letter, unless the text beside it is another option's."""
    place = LETTERS.index(letter)
    same = [words.same(_flat(option), _flat(text)) for option in options]
    return None if place < len(same) and not same[place] and any(same) else letter


def _flat(text: str) -> str:
    """A text without the commands of its type."""
    return forms.GAP.sub(" ", forms.WRAPPER.sub(" ", text)).strip()
