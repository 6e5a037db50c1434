"""How difficult a question is for a model: buckets by the number of right independent responses (Section 5.2.2)."""

RESPONSES = 32
LEAST_RIGHT = {"very_easy": 32, "easy": 25, "medium": 9, "hard": 1, "very_hard": 0}  # right ones among 32


def bucket(right: int, responses: int) -> str:
    """The difficulty bucket of a question with `right` of `responses` right; the paper's bounds, scaled."""
    return next(
        name for name, least in LEAST_RIGHT.items() if right * RESPONSES >= least * responses and (right or not least)
    )
