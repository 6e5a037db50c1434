"""What commands and words mean: tables."""

_TEXTS = """
text textbf textit textrm textsf texttt textnormal textup textsc emph mbox hbox mathrm operatorname
"""
TEXTS = frozenset(_TEXTS.split())
_FONTS = """
mathbf mathit mathsf mathtt mathcal mathfrak mathscr mathnormal boldsymbol bm pmb bf it rm sf tt sl sc em bfseries
itshape cal underline boxed fbox framebox ensuremath mathop mathbin mathrel mathord mathopen mathclose mathinner
mathstrut strut smash displaystyle textstyle scriptstyle scriptscriptstyle limits nolimits left right middle null
relax allowbreak nobreak hfill hfil centering normalsize large Large LARGE huge Huge small tiny footnotesize
scriptsize big bigl bigr bigm Big Bigl Bigr Bigm bigg biggl biggr biggm Bigg Biggl Biggr Biggm
"""
FONTS = frozenset(_FONTS.split())  # commands that change how a thing looks, or how large it is
WITH_ARGUMENTS = {  # dropped, with so many arguments
    "phantom": 1, "hphantom": 1, "vphantom": 1, "hspace": 1, "vspace": 1, "label": 1, "tag": 1, "color": 1,
    "textcolor": 1, "colorbox": 1, "fcolorbox": 2, "href": 1, "style": 1, "class": 1, "cssId": 1,
}  # fmt: skip
SAME = {  # commands of one meaning
    "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "nicefrac": "frac", "sfrac": "frac", "dbinom": "binom",
    "tbinom": "binom", "leq": "le", "leqslant": "le", "leqq": "le", "geq": "ge", "geqslant": "ge", "geqq": "ge",
    "neq": "ne", "lt": "<", "gt": ">", "lvert": "|", "rvert": "|", "vert": "|", "mid": "|", "lVert": "||",
    "rVert": "||", "Vert": "||", "lbrace": "{.", "rbrace": ".}", "lbrack": "[", "rbrack": "]", "lparen": "(",
    "rparen": ")", "ast": "*", "cdotp": "cdot", "bullet": "cdot", "colon": ":", "prime": "'", "slash": "/",
    "land": "and", "wedge": "and", "lor": "or", "vee": "or", "varnothing": "emptyset", "O": "emptyset",
    "varepsilon": "epsilon", "varphi": "phi", "vartheta": "theta", "varrho": "rho", "varsigma": "sigma",
    "varkappa": "kappa", "infin": "infty", "bmod": "mod", "approxeq": "approx", "thickapprox": "approx",
    "simeq": "approx", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "tg": "tan", "ctg": "cot",
    "arctg": "atan", "cosec": "csc", "backslash": "setminus", "smallsetminus": "setminus", "percent": "%",
    "textpercent": "%", "textdegree": "degree", "textdollar": "$", "euro": "€", "pounds": "£", "R": "Reals",
    "imath": "i", "jmath": "j", "implies": "to", "therefore": "to", "rightarrow": "to", "Rightarrow": "to",
    "longrightarrow": "to", "Longrightarrow": "to", "Leftrightarrow": "iff", "thinspace": "", "cdots": "ldots",
    "overrightarrow": "vec", "overleftrightarrow": "vec", "widehat": "hat", "widetilde": "tilde",
    "measuredangle": "angle", "bigtriangleup": "triangle", "vartriangle": "triangle", "top": "T", "intercal": "T",
    "sgn": "sign", "textasciitilde": "", "bigcup": "cup", "bigcap": "cap",
}  # fmt: skip
ESCAPED = {
    "{": "{.", "}": ".}", "|": "||", "%": "%", "&": "and", "#": "#", "_": "_", "$": "$",
    "[": "", "]": "", "(": "", ")": "", "/": "", "-": "", "@": "", "*": "",
}  # fmt: skip
CURRENCIES = {"$": "dollar", "€": "euro", "£": "gbp", "¥": "yen", "₹": "rupee", "¢": "cent", "₩": "won", "₽": "ruble"}

_GREEK = """
alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega Gamma
Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar aleph omicron partial Pr
"""
GREEK = frozenset(_GREEK.split())
_FUNCTIONS = """
sin cos tan cot sec csc asin acos atan acot asec acsc sinh cosh tanh coth asinh acosh atanh ln log lg exp Re Im arg cis
sign conj
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())  # of one argument, which may lack its brackets
INVERSE = {"sin": "asin", "cos": "acos", "tan": "atan", "cot": "acot", "sec": "asec", "csc": "acsc", "sinh": "asinh",
           "cosh": "acosh", "tanh": "atanh"}  # fmt: skip
OF_SEVERAL = frozenset(["gcd", "lcm", "max", "min"])
WORDS = {  # what plain letters mean in a formula
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec", "arccsc": "acsc",
    "arctg": "atan", "infinity": "infty", "inf": "infty", "infty": "infty", "pi": "pi", "Pi": "pi", "PI": "pi",
    "sqrt": "sqrt", "cbrt": "cuberoot", "abs": "abs", "floor": "floor", "ceil": "ceil", "log2": "log2", "oo": "infty",
    "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "binom": "binom", "binomial": "binom", "GCD": "gcd",
    "LCM": "lcm", "factorial": "factorial", "frac": "frac", "Infinity": "infty", "emptyset": "emptyset",
    **{name: name for name in FUNCTIONS | OF_SEVERAL if name not in ("sign", "arg", "conj")},
    **{name: name for name in GREEK if name[0].islower() and name not in ("ell", "partial", "aleph", "omicron")},
}  # fmt: skip
FOREIGN = frozenset(["int", "iint", "iiint", "oint", "lim", "limsup", "liminf", "det", "nabla", "coprod", "sup"])
MARKS = frozenset(["angle", "triangle", "vec", "hat", "tilde", "dot", "ddot", "overline", "bar", "widebar", "odot"])
SET_NAMES = {"R": "Reals", "Z": "Integers", "N": "Naturals", "Q": "Rationals", "C": "Complexes"}
RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", "le": "<=", "ge": ">=", "ne": "!=",
    "approx": "~", "equiv": "=", "in": "in", "notin": "notin", "sim": "sim", "subset": "subset", "to": "to",
    "subseteq": "subseteq", "iff": "iff", "mapsto": "to",
}  # fmt: skip
_ONES = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBER_WORDS = {word: value for value, word in enumerate(_ONES.split())}
NUMBER_WORDS |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
MULTIPLIERS = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}


IN_WORDS = {
    "all real numbers": "Reals", "all reals": "Reals", "the real numbers": "Reals", "real numbers": "Reals",
    "empty set": "emptyset", "the empty set": "emptyset",
}  # fmt: skip


def number_word(text: str) -> int | None:
    """The number that one or two words say, such as `twenty-one`."""
    words = text.lower().replace("-", " ").split()
    values = [NUMBER_WORDS.get(word) for word in words]
    if len(values) == 1:
        return values[0]
    if len(values) == 2:
        tens, ones = values
        if tens is not None and ones is not None and tens >= 20 and 0 < ones < 10:
            return tens + ones
    if len(words) == 2 and values[0] is not None and words[1] in MULTIPLIERS:
        return values[0] * MULTIPLIERS[words[1]]
    return None
