"""Which answers of a group are one in a vote: those that are equal to each other, whatever the right answer is."""

from collections.abc import Callable, Sequence

Equal = Callable[[str, str], bool]  # whether an answer equals another that stands in the place of the right one


def clusters(answers: Sequence[str | None], equal: Equal) -> list[int | None]:
    """The number of each answer's cluster, from 0 in order of appearance; None without an answer: it abstains.

    Right and wrong answers are treated alike. Two answers are in one cluster where they are equal, or where others
    link them. A pair is asked about once, the shorter text in the place of the right answer, so that the order of the
    paths does not matter. `equal` may wait for math-verify: call this off the event loop.
    """
    distinct = list(dict.fromkeys(answer for answer in answers if answer is not None))
    number = list(range(len(distinct)))
    for later, answer in enumerate(distinct):
        for earlier, other in enumerate(distinct[:later]):
            if number[earlier] != number[later] and _are_equal(answer, other, equal):
                number = [number[earlier] if each == number[later] else each for each in number]
    order = {each: place for place, each in enumerate(dict.fromkeys(number))}
    of = {answer: order[each] for answer, each in zip(distinct, number, strict=True)}
    return [None if answer is None else of[answer] for answer in answers]


def _are_equal(one: str, other: str, equal: Equal) -> bool:
    shorter, longer = sorted((one, other), key=lambda text: (len(text), text))
    return equal(longer, shorter)
