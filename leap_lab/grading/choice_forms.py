r"""The forms in which a text says a letter, as patterns. Every repetition is bounded, so that reading is linear."""

import re

_DRESS = r"(?:[\"'*_`$(\[{<\s]|\\\(|\\(?:text|textbf|mathrm|mathbf)\{)"
_CLOSERS = r"[\"'*_`$)\]}>]{0,8}"
_TICKS = r"\u2713\u2714\u2705"
_END = (  # what may follow a letter, so that it is one: `A good one`, `C-H`, `A or B` and `A, B` are none
    rf"(?={_CLOSERS}(?:[^\S\n]{{0,8}}(?:\n|\Z)|[.;:!](?!\w)|,(?!\s{{0,3}}(?:or\s|and\s|nor\s)?\(?[A-Z]\b(?!\s[a-z]))"
    rf"|\s{{1,4}}(?:because|since|as|which|here|(?:and|but)\snot|rather\sthan|instead\sof|[({_TICKS}\u2013\u2014-])|\\\)|<[|/])"
    rf"|[\"'*_`$}}]{{0,4}}[)\]](?!\s{{0,3}}(?:or|and|nor|/|&))[\"'*_`$}}]{{0,4}}\s)"
)
_LAST = rf"(?={_CLOSERS}[.!]?{_CLOSERS}[^\S\n]{{0,8}}(?:\n|\Z|</))"  # nothing follows on the line
_OPTION = r"(?:(?i:option|choice|letter|answer)\s{1,3})?"
_LETTER = rf"{_DRESS}{{0,10}}{_OPTION}{_DRESS}{{0,10}}([A-Z])(?!(?<!'[A-Z])')"  # no D'; 'D' is one
_SMALL = rf"{_DRESS}{{0,10}}{_OPTION}{_DRESS}{{0,10}}([a-z])"
_KIND = r"(?:correct|right|best|final|selected|chosen|only|true)"
_NAME = rf"(?i:(?<!wrong )(?<!incorrect )(?:answer|ans\.?|(?:{_KIND}|my)\s{{1,3}}(?:option|choice|letter)))"
_ADVERB = r"indeed|clearly|therefore|thus|then|hence|definitely|obviously|simply|just|now|probably|likely"
_IS = rf"(?i:(?:is|must\sbe|has\sto\sbe|should\sbe|would\sbe)(?:\s{{1,3}}(?:{_ADVERB}))?)"
_FIELD = rf"(?<![A-Za-z]){_NAME}[\"'*_`]{{0,3}}\s{{0,4}}(?:[:=\uff1a]|\s[-\u2013\u2014]\s)"
_WILL = r"(?:['\u2019](?:ll|d|m|re)|\s(?:am|are|will|would|shall|must|should|therefore|thus|hence|then))?"
_GO = r"go(?:ing)?\swith|went\swith|opt(?:ing)?\sfor|vote\sfor"
_CHOOSE = rf"(?:choos(?:e|ing)|chose|pick(?:ing)?|select(?:ing)?|answer|{_GO})"
_CORRECT = (
    rf"{_IS}\s{{1,3}}(?i:the\s{{1,3}})?(?i:(?:{_KIND}\s{{1,3}})?(?:answer|option|choice|one)|{_KIND})"
    r"(?=[\"'*_`]{0,4}\s{0,3}(?:[.,;:!)\n]|\Z|because|since|as\b|here))"
)

CLAIMS = [  # C is correct; (C) 12 is the answer
    re.compile(rf"(?<![A-Za-z\\\d]){_DRESS}{{0,6}}(?<![A-Za-z])([A-Z]){_CLOSERS}\s{{1,3}}{_CORRECT}"),
    re.compile(rf"(?<![A-Za-z\d])\(([A-Z])\)\s[^.\n()]{{1,60}}?\s{_CORRECT}"),
]
FORMS = [
    # ANSWER: C
    re.compile(rf"{_FIELD}{_LETTER}{_END}"),
    re.compile(rf"{_FIELD}{_SMALL}{_LAST}"),
    re.compile(rf"(?m:^)[#*\s]{{0,6}}(?i:option|choice)\s{{0,2}}:{_LETTER}{_END}"),
    re.compile(rf"(?m:^)[#*\s]{{0,6}}(?i:(?:final\s)?answer|ans\.?)\s{{1,3}}\(([A-Z])\){_END}"),
    re.compile(rf"(?m:^)[#*\s]{{0,8}}(?i:(?:final\s)?answer)[*:\s]{{0,6}}\n{_LETTER}{_LAST}"),
    # the answer is C
    re.compile(rf"(?<![A-Za-z]){_NAME}\s{{1,4}}{_IS}\b\s{{0,4}}:?{_LETTER}{_END}"),
    re.compile(rf"(?<![A-Za-z]){_NAME}\s{{1,4}}{_IS}\b\s{{0,4}}:?\s{{0,3}}(?:[(*\s]{{0,4}}([b-z])|\((a)(?=\))){_LAST}"),
    # I choose C
    re.compile(rf"(?<![A-Za-z])(?:I|[Ww]e)(?i:{_WILL}\s{{1,3}}{_CHOOSE})\s{{1,3}}{_LETTER}{_END}"),
    re.compile(
        r"(?:(?m:^)|(?<=[.!?]\s))(?:Choose|Pick|Select|Going\swith|It['\u2019]s|It\sis|It\smust\sbe)"
        rf"\s{{1,3}}{_LETTER}{_LAST}"
    ),
    # Hence C
    re.compile(rf"(?<![A-Za-z])(?i:thus|hence|therefore|so)[,:]?\s{{1,3}}{_LETTER}{_LAST}"),
    *CLAIMS,
]
TAG = re.compile(r"<(answer|final_answer|choice)>([^<>]{1,200})</\1>", re.IGNORECASE)
_BEFORE = "so thus therefore hence that then only option choice answer letter means clearly conclude indeed but case"
BEFORE_CLAIM = frozenset(_BEFORE.split())  # words that may stand before `C is correct`: not `vitamin` or `statement`

SENTENCE = re.compile(r"[.!?](?=[\s\"'*)]|\Z)|\n")
SUPPOSED = re.compile(
    r"\b(?:if|suppos\w+|assum\w+|unless|whether|imagin\w+|let\W{0,2}u?s say|provided|in case|hypothetically|maybe"
    r"|perhaps|possibly)\b|^\W*(?:were|had|should|is|are|was|could|can|would|does|do|why|how)\b",
    re.IGNORECASE,
)
CONCLUDED = re.compile(r"(?<!\bif )\b(?:so|thus|therefore|hence|consequently|but)\b", re.IGNORECASE)
NEGATED = re.compile(
    r"\b(?:not|never|cannot|neither|nor|none|wrong|incorrect|false|unlikely|hardly|doubt|den(?:y|ies)|without|except"
    r"|rul(?:e|es|ed|ing) out|eliminat\w+|exclud\w+|reject\w*)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
CLAUSE = re.compile(r"[,;:]|\b(?:but|so|thus|therefore|hence|because|since|and)\b", re.IGNORECASE)
TWO = re.compile(r"(?:^|[^A-Za-z])[A-Z]\W{0,4}(?:,|\bor\b|\band\b|\bnor\b|/|&)\W{0,4}$")

LINE = re.compile(r"[\s*_$(\[]{0,8}(?:(?:Option|Choice|OPTION)\s{1,3})?[*_$(\[]{0,4}([A-Z])[\s.*_$)\]]{0,8}")
LINE_END = re.compile(r"\b(?i:be|is|choose|pick|select|answer|option|choice)\s\(([A-Z])\)[\s.*_$]{0,8}\Z")
LABELLED = re.compile(  # C) Photosynthesis
    r"[\s*_$]{0,8}(?:(?:Option|Choice)\s{1,3})?(?:\(([A-Z])\)[:.]?|([A-Z])(?:[).:]|\s[-\u2013\u2014]))[*_$]{0,3}\s{1,3}(.*\S)"
)
NO_OPTION = re.compile(  # C) is wrong; C) or D); C) D
    r"(?:is|are|was|looks|seems|cannot|can|would|could|might|has|fails|does|because|or|and)\b|.*\?[\s*]*\Z"
    r"|(?-i:(?:.*\s)?\(?[A-Z][).:](?:\s.*)?\Z|\W*[A-Z]\W*\Z)",
    re.IGNORECASE | re.DOTALL,
)

WRAPPER = re.compile(
    r"\\(?:textcolor|color)\s{0,3}\{[^{}]{0,40}\}|\\(?:text[a-z]{0,8}|math[a-z]{1,8}|boldsymbol|bm|mbox|displaystyle"
    r"|left|right|bf|rm|[Ll]arge|operatorname)(?![A-Za-z])"
)
GAP = re.compile(r"\\(?:[ ,;:!]|q?quad(?![A-Za-z]))|~|[{}$]|\\[{}]|\s+")
BOXED = re.compile(
    r"[\s\"'*_`.]{0,6}(?:(?:the )?(?:final |correct )?(?:answer|option|choice)(?: is)?\s?[:=]?\s)?"
    r"[(*\[\s]{0,4}([A-Za-z])(\s{0,2}[)\]*]{1,3}[.:]?|[.:]|\s[-\u2013\u2014](?=\s)|)(.*)",
    re.IGNORECASE | re.DOTALL,
)
SECOND = re.compile(r"\W{0,3}(?:[A-Z]\b(?![.'])\W{0,3}(?:\Z|[,(])|or\b|and\b|/|&|,)")  # behind the letter in a box
