"""Whether two answers are the same."""

import pytest

from leap_lab.grading.equality import number
from leap_lab.grading.grade import equal

EQUAL = [  # answer, gold, whether they are the same
    ("42", "42", True),
    ("042", "42", True),
    ("42", "042", True),
    ("+42", "42", True),
    ("-42", "42", False),
    ("-7", "-7", True),
    ("1,234", "1234", True),
    ("1{,}234", "1234", True),
    (r"1\,234", "1234", True),
    ("12,34", "1234", False),
    ("$42$", "42", True),
    ("42.", "42", True),
    (r"\text{42}", "42", True),
    ("43", "42", False),
    ("4", "42", False),
    ("142", "42", False),
    ("42.0", "42", True),
    (r"\frac{84}{2}", "42", True),
    ("41.9999", "42", False),
    ("²", "2", False),
    (r"\frac{1}{2}", "0.5", True),
    (r"\dfrac12", r"\frac{1}{2}", True),
    (r"\frac{1}{2}", r"\frac{1}{3}", False),
    (r"\sqrt{2}", r"\sqrt{2}", True),
    (r"2\sqrt{2}", r"\sqrt{8}", True),
    ("x+1", "2x+1", False),
    ("2x+1", "x+1", False),
    ("x+1", "1+x", True),
    ("(1,2)", "(1,2)", True),
    ("(1,2)", "(2,1)", False),
    (r"\{1,2\}", r"\{2,1\}", True),
    ("x=5", "5", True),
    ("", "5", False),
    ("no idea", "5", False),
    (r"\pi", "3.14159", False),
    ("<script>42</script>", "42", False),
    ("<b>42</b> 42", "42", False),
    ("−42", "-42", True),
    ("- 42", "-42", True),
    ("-0", "0", True),
    ("42.000", "42", True),
    ("42.0000000001", "42", False),
    ("4 2", "42", False),
    ("7 20", "720", False),
    ("3 4", "7", False),
    (r"42\quad 1", "43", False),
    (r"4\,2", "42", False),
    ("10 000", "10000", True),
    ("1,23", "123", False),
    ("1,2345", "12345", False),
    (r"\$1,234", "1234", True),
    ("9" * 1500, "9" * 1500 + ".0", True),
    ("9" * 1500, "9" * 1499 + "8", False),
    ("42 @ 7", "7", False),
    ("I think it may be @ 42", "42", False),
    (r"garbage @ \frac{1}{2}", r"\frac{1}{2}", False),
    ("5$ or $42", "42", False),
    (r"42\text{ or }43", "42", False),
    ("42, 43", "42", False),
    (r"42 \text{ is wrong}", "42", False),
    (r"\text{not } 42", "42", False),
    (r"x \neq 42", "42", False),
    (r"42\ldots", "42", False),
    ("42!", "42", False),
    ("31_8", "31", False),
    (r"\boxed{42}+1", "42", False),
    ("4\x002", "42", False),
    ("42\u200b", "42", True),
    ("４２", "42", False),
    ("\ud80042", "42", False),
    (r"42\text{ minutes}", "42", True),
    (r"42^\circ", "42", True),
    (r"\mathbf{42}", "42", True),
    (r"m+n = 42", "42", True),
    (r"2+40=42", "42", True),
    (r"2^{10}", "1024", True),
    (r"\sqrt{1764}", "42", True),
    (r"\frac{84.0000001}{2}", "42", False),
    (r"25\%", "0.25", True),
    (r"(x-1)(x+1)", "x^2-1", True),
    (r"\text{odd} ", r"\text{odd}", True),
    ("[0,1)", "(0,1)", False),
    ("1 1/2", "1", False),
]


@pytest.mark.parametrize(("answer", "gold", "same"), EQUAL)
def test_equality(answer, gold, same):
    assert equal(answer, gold) is same


@pytest.mark.parametrize("text", ["\\text{" * 300, " " * 1_999 + "x", "1," * 900 + "1", "\\," * 600 + "1"])
def test_a_long_answer_is_compared_in_linear_time(text):
    assert not equal(text, "5")


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("42", "42"),
        ("+0042", "42"),
        ("$1,000$", "1000"),
        ("-3.", "-3"),
        (r"-1{,}050.50", "-1050.5"),
        (".50", "0.5"),
        ("-0.0", "0"),
        ("x", None),
        ("1,0", None),
        ("", None),
        (".", None),
        ("٤٢", None),
    ],
)
def test_a_number_has_one_spelling(text, spelling):
    assert number(text) == spelling
