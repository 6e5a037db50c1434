"""Word problems of grade school, for small language models that nobody here trained.

Each of the sixteen stories takes two to four steps of arithmetic with small numbers; the numbers and names are drawn,
so every seed gives new problems. The stories are written for leap_lab and stand in no benchmark.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from leap_lab import checks
from leap_lab.seeds import rng_for
from leap_lab.tasks.problem import Problem

MOST_MADE = 1_000  # some stories have no names, and fewer than a hundred sets of numbers
NAMES = ("Ana", "Boris", "Chiara", "Dev", "Ela", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kiri", "Lars", "Mona")
Story = Callable[[Random, str, str], tuple[str, int]]


def _eggs(rng: Random, one: str, other: str) -> tuple[str, int]:
    hens, eaten, price = rng.randint(12, 24), rng.randint(2, 5), rng.randint(2, 4)
    return (
        f"{one} has {hens} hens, and each lays one egg a day. Every day {one} eats {eaten} of the eggs and sells the "
        f"rest for {price} dollars each. How many dollars does {one} make in a week?",
        7 * (hens - eaten) * price,
    )


def _books(rng: Random, one: str, other: str) -> tuple[str, int]:
    more, fewer, start = rng.randint(3, 9), rng.randint(2, 6), rng.randint(14, 30)
    return (
        f"{one} owns {start} books. {other} owns twice as many as {one}, and then gives {more} of them away and loses "
        f"{fewer}. How many books do the two own together now?",
        start + 2 * start - more - fewer,
    )


def _train(rng: Random, one: str, other: str) -> tuple[str, int]:
    cars, seats, empty, off = rng.randint(4, 8), 10 * rng.randint(3, 6), rng.randint(11, 25), rng.randint(20, 50)
    return (
        f"A train has {cars} cars with {seats} seats each. When it leaves, {empty} seats are empty, and everybody on "
        f"board sits. At the first stop {off} people get off and nobody gets on. How many are left on the train?",
        cars * seats - empty - off,
    )


def _paint(rng: Random, one: str, other: str) -> tuple[str, int]:
    rooms, walls, litres, price = rng.randint(2, 5), 4, rng.randint(2, 4), rng.randint(5, 9)
    return (
        f"{one} paints {rooms} rooms. Every room has {walls} walls, and one wall takes {litres} litres of paint. A "
        f"litre costs {price} dollars, and {one} already has 6 litres. How many dollars does {one} have to spend?",
        (rooms * walls * litres - 6) * price,
    )


def _runners(rng: Random, one: str, other: str) -> tuple[str, int]:
    speed, slower, hours = rng.randint(9, 14), rng.randint(2, 4), rng.randint(2, 5)
    return (
        f"{one} cycles {speed} miles in an hour. {other} is {slower} miles an hour slower. They start together in "
        f"opposite directions and cycle for {hours} hours. How many miles apart are they at the end?",
        (2 * speed - slower) * hours,
    )


def _jars(rng: Random, one: str, other: str) -> tuple[str, int]:
    jars, each, friends = rng.randint(3, 6), 10 * rng.randint(2, 5), rng.choice([2, 5])
    return (
        f"{one} fills {jars} jars with {each} marbles each and shares all of these marbles equally among {friends} "
        f"friends. {other}, one of the friends, had {jars + 8} marbles before. How many does {other} have now?",
        jars * each // friends + jars + 8,
    )


def _garden(rng: Random, one: str, other: str) -> tuple[str, int]:
    rows, plants, died, each = rng.randint(4, 9), rng.randint(6, 12), rng.randint(3, 10), rng.randint(3, 7)
    return (
        f"{one} plants tomatoes in {rows} rows of {plants} plants. Of these plants {died} die, and each of the others "
        f"bears {each} tomatoes. How many tomatoes does {one} pick?",
        (rows * plants - died) * each,
    )


def _savings(rng: Random, one: str, other: str) -> tuple[str, int]:
    weekly, weeks, gift, price = rng.randint(8, 15), rng.randint(5, 9), rng.randint(10, 30), rng.randint(190, 280)
    return (
        f"{one} wants a bicycle that costs {price} dollars. {one} saves {weekly} dollars a week for {weeks} weeks, and "
        f"gets {gift} dollars from an aunt. How many dollars are still missing?",
        price - weekly * weeks - gift,
    )


def _bakery(rng: Random, one: str, other: str) -> tuple[str, int]:
    trays, rolls, sold, pack = rng.randint(5, 9), 12, rng.randint(8, 26) * 2, 2
    return (
        f"A baker bakes {trays} trays of {rolls} rolls. During the day {sold} rolls are sold. The rest is put in bags "
        f"of {pack}. How many bags does the baker need?",
        (trays * rolls - sold) // pack,
    )


def _ages(rng: Random, one: str, other: str) -> tuple[str, int]:
    age, older, years = rng.randint(6, 12), rng.randint(3, 8), rng.randint(4, 10)
    return (
        f"{one} is {age} years old. {other} is {older} years older than {one}. Their grandmother is four times as old "
        f"as {other}. How old will the grandmother be in {years} years?",
        4 * (age + older) + years,
    )


def _pages(rng: Random, one: str, other: str) -> tuple[str, int]:
    first, more, days = rng.randint(10, 25), rng.randint(3, 8), rng.randint(3, 5)
    return (
        f"{one} reads {first} pages on the first day, and on each day after that {more} pages more than on the day "
        f"before. How many pages has {one} read after {days} days?",
        sum(first + more * day for day in range(days)),
    )


def _tickets(rng: Random, one: str, other: str) -> tuple[str, int]:
    adults, children, price = rng.randint(2, 5), rng.randint(3, 7), 2 * rng.randint(4, 8)
    return (
        f"A ticket for the zoo costs {price} dollars for an adult and half as much for a child. {one} buys tickets for "
        f"{adults} adults and {children} children and pays with two 100 dollar notes. How many dollars does {one} get "
        "back?",
        200 - adults * price - children * price // 2,
    )


def _water(rng: Random, one: str, other: str) -> tuple[str, int]:
    minutes, flow, leak = rng.randint(10, 20), rng.randint(8, 15), rng.randint(2, 5)
    return (
        f"A tap fills a tank with {flow} litres a minute, while a leak loses {leak} litres a minute. The tank holds 60 "
        f"litres at the start. How many litres does it hold after {minutes} minutes?",
        60 + minutes * (flow - leak),
    )


def _boxes(rng: Random, one: str, other: str) -> tuple[str, int]:
    small, large, factor = rng.randint(4, 9), rng.randint(3, 6), rng.randint(2, 4)
    pencils = rng.randint(6, 10)
    return (
        f"A small box holds {pencils} pencils, and a large box holds {factor} times as many. {one} buys {small} small "
        f"boxes and {large} large boxes. How many pencils is that?",
        pencils * small + pencils * factor * large,
    )


def _work(rng: Random, one: str, other: str) -> tuple[str, int]:
    wage, hours, extra, rate = rng.randint(11, 19), rng.randint(30, 40), rng.randint(2, 8), rng.randint(2, 5)
    return (
        f"{one} earns {wage} dollars an hour for the first {hours} hours of a week, and {rate} dollars more for every "
        f"hour after that. Last week {one} worked {hours + extra} hours. How many dollars did {one} earn?",
        wage * hours + (wage + rate) * extra,
    )


def _sweets(rng: Random, one: str, other: str) -> tuple[str, int]:
    third, more = rng.randint(5, 12), rng.randint(4, 9)
    return (
        f"{one} has {3 * third} sweets and gives a third of them to {other}. Then {one} eats 4 sweets and buys {more} "
        "new ones. How many sweets does the one of the two who now has more have?",
        2 * third - 4 + more,
    )


STORIES: tuple[Story, ...] = (
    *(_eggs, _books, _train, _paint, _runners, _jars, _garden, _savings),
    *(_bakery, _ages, _pages, _tickets, _water, _boxes, _work, _sweets),
)


@dataclass(frozen=True)
class WordProblems:
    """`count` problems, cycling through the stories; a larger count begins with the same ones."""

    count: int
    seed: int

    def load(self) -> list[Problem]:
        """All problems; no two have the same text."""
        checks.integer("dataset.count", self.count, 1, MOST_MADE)
        checks.integer("dataset.seed", self.seed)
        seen: set[str] = set()
        return [self._new(index, seen) for index in range(self.count)]

    def _new(self, index: int, seen: set[str]) -> Problem:
        rng = rng_for("word problems", self.seed, index)
        while True:
            one, other = rng.sample(NAMES, 2)
            text, answer = STORIES[index % len(STORIES)](rng, one, other)
            if text not in seen:
                seen.add(text)
                return Problem(f"word-{self.seed}-{index}", text, str(answer))
