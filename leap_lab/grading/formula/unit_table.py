"""Units by name: what they are in base units. Metric ones take prefixes."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` times the product of base units to their powers."""

    powers: tuple[tuple[str, int], ...]
    factor: Fraction = Fraction(1)

    @property
    def generic(self) -> bool:
        """Whether it is just "units", which stands for any."""
        return {name for name, _ in self.powers} == {"unit"}


PREFIXES = {"k": 3, "M": 6, "G": 9, "c": -2, "d": -1, "m": -3, "u": -6, "n": -9}
LONG_PREFIXES = {"kilo": 3, "mega": 6, "giga": 9, "centi": -2, "deci": -1, "milli": -3, "micro": -6, "nano": -9}
METRIC = """
m metre meter: m: 1
g gram gramme: kg: 1/1000
s second sec: s: 1
L l liter litre: m^3: 1/1000
N newton: kg m s^-2: 1
J joule: kg m^2 s^-2: 1
W watt: kg m^2 s^-3: 1
Pa pascal: kg m^-1 s^-2: 1
Hz hertz: s^-1: 1
V volt: volt: 1
A ampere amp: ampere: 1
eV electronvolt: eV: 1
mol mole: mol: 1
C coulomb: coulomb: 1
K kelvin: kelvin: 1
F farad: farad: 1
T tesla: tesla: 1
bit: bit: 1
B byte: byte: 1
cal calorie: calorie: 1
"""
OTHERS = """
min minute: s: 60
h hr hour: s: 3600
day: s: 86400
week wk: s: 604800
month: month: 1
year yr: month: 12
inch in: m: 0.0254
foot ft feet: m: 0.3048
yard yd: m: 0.9144
mile mi: m: 1609.344
mph: m s^-1: 0.44704
kph kmph: m s^-1: 5/18
pound lb: lb: 1
ounce oz: lb: 1/16
ton: ton: 1
tonne: kg: 1000
gallon gal: gallon: 1
quart qt: gallon: 1/4
pint pt: gallon: 1/8
cup: gallon: 1/16
hectare ha: m^2: 10000
cc: m^3: 1/1000000
dollar usd buck $: dollar: 1
cent ¢: dollar: 1/100
euro eur €: euro: 1
gbp £: gbp: 1
yen jpy ¥: yen: 1
rupee inr rs ₹: rupee: 1
won ₩: won: 1
ruble rouble rub ₽: ruble: 1
degree deg °: degree: 1
radian rad: radian: 1
celsius: celsius: 1
fahrenheit: fahrenheit: 1
percent %: percent: 1
unit: unit: 1
person people: person: 1
child children: child: 1
man men: man: 1
woman women: woman: 1
am a.m: am: 1
pm p.m: pm: 1
"""
_NO_UNITS = "min cd cs ds us cN cA dA cT dT cF dF MT GT mT pm"  # that a prefix and a unit would make
NOT_METRIC = frozenset(_NO_UNITS.split())


def _base(text: str) -> dict[str, int]:
    powers = {}
    for part in text.split():
        name, _, power = part.partition("^")
        powers[name] = int(power or 1)
    return powers


def made_of(powers: dict[str, int], factor: Fraction) -> Unit:
    """The unit with these powers of base units."""
    return Unit(tuple(sorted((name, power) for name, power in powers.items() if power)), factor)


def _lines(table: str) -> list[tuple[list[str], dict[str, int], Fraction]]:
    rows = [[part.strip() for part in line.split(":")] for line in table.strip().split("\n")]
    return [(names.split(), _base(base), Fraction(factor)) for names, base, factor in rows]


def _table() -> dict[str, Unit]:
    table: dict[str, Unit] = {}
    for names, powers, factor in _lines(METRIC):
        for name in names:
            prefixes = LONG_PREFIXES if len(name) > 3 else PREFIXES
            for prefix, exponent in prefixes.items():
                if prefix + name not in NOT_METRIC:
                    table[prefix + name] = made_of(powers, factor * Fraction(10) ** exponent)
    for names, powers, factor in _lines(METRIC) + _lines(OTHERS):
        for name in names:
            table[name] = made_of(powers, factor)
    return table


TABLE = _table()
