"""The signs of Unicode as the LaTeX or ASCII that means the same."""

import re
import unicodedata

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ϑ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu", "ξ": "xi",
    "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "ϕ": "phi",
    "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi",
    "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_COMMANDS = {
    "×": "times", "✕": "times", "⨯": "times", "·": "cdot", "⋅": "cdot", "∙": "cdot", "•": "cdot", "÷": "div",
    "±": "pm", "∓": "mp", "≤": "le", "⩽": "le", "≦": "le", "≥": "ge", "⩾": "ge", "≧": "ge", "≠": "ne", "≈": "approx",
    "≡": "equiv", "∞": "infty", "∪": "cup", "∩": "cap", "∖": "setminus", "∈": "in", "∉": "notin", "∅": "emptyset",
    "⌀": "emptyset", "√": "radic", "∛": "cuberoot", "∜": "fourthroot", "⟨": "langle", "⟩": "rangle", "〈": "langle",
    "〉": "rangle", "⌊": "lfloor", "⌋": "rfloor", "⌈": "lceil", "⌉": "rceil", "…": "ldots", "⋯": "ldots",
    "∧": "land", "∨": "lor", "∠": "angle", "△": "triangle", "→": "to", "∑": "sum", "∏": "prod", "∫": "int",
    "∣": "mid", "¬": "neg", "∼": "sim", "⊂": "subset", "⊆": "subseteq", "ℓ": "ell",
}  # fmt: skip
_TEXTS = {
    "−": "-", "–": "-", "‒": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "＋": "+", "＝": "=", "∗": "*",
    "＊": "*", "⁄": "/", "∕": "/", "／": "/", "′": "'", "’": "'", "‘": "'", "ʼ": "'", "″": "''", "“": '"', "”": '"',
    "„": '"', "«": '"', "»": '"', "％": "%", "，": ",", "、": ",", "；": ";", "：": ":", "（": "(", "）": ")",
    "［": "[", "］": "]", "。": ".", "｛": r"\{", "｝": r"\}", "＜": "<", "＞": ">", "º": r"^\circ ", "°": r"^\circ ",
    "˚": r"^\circ ", "℃": r"^\circ C", "℉": r"^\circ F", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℚ": r"\mathbb{Q}",
    "ℕ": r"\mathbb{N}", "ℂ": r"\mathbb{C}", "∶": ":", "❘": "|", "｜": "|", "‖": r"\|", "𝜋": r"\pi ",
}  # fmt: skip
_INVISIBLE = dict.fromkeys(
    [*range(0x09), *range(0x0E, 0x20), 0x7F, 0xAD, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF], " "
)
_SIGNS = (
    {ord(sign): f"\\{name} " for sign, name in {**_GREEK, **_COMMANDS}.items()}
    | {ord(sign): text for sign, text in _TEXTS.items()}
    | _INVISIBLE
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ", "0123456789+-=()nix")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙᵢₓₖₘ", "0123456789+-=()nixkm")
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ]+")
_SUBSCRIPT = re.compile("[₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙᵢₓₖₘ]+")
_STYLED = re.compile("[\U0001d400-\U0001d7ff]")
_FRACTION = re.compile("[\u00bc-\u00be\u2150-\u215e]")


def plain(text: str) -> str:
    """The text with ASCII and LaTeX in place of mathematical Unicode; digits of other scripts stay what they are."""
    if text.isascii() and text.isprintable():
        return text
    text = _STYLED.sub(lambda sign: unicodedata.normalize("NFKC", sign[0]), text)
    text = _FRACTION.sub(lambda sign: _fraction(sign[0]), text)
    text = _SUPERSCRIPT.sub(lambda run: f"^{{{run[0].translate(_RAISED)}}}", text)
    text = _SUBSCRIPT.sub(lambda run: f"_{{{run[0].translate(_LOWERED)}}}", text)
    return text.translate(_SIGNS)


def _fraction(sign: str) -> str:
    above, _, below = unicodedata.normalize("NFKC", sign).partition("\u2044")
    return rf"\frac{{{above}}}{{{below}}}"
