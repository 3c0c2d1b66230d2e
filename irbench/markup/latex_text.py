"""Any text as LaTeX that pdflatex typesets with its default fonts: plain ASCII."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': "''",
}

_MATH = {
    "↑": r"\uparrow", "↓": r"\downarrow", "→": r"\rightarrow", "←": r"\leftarrow",
    "×": r"\times", "·": r"\cdot", "±": r"\pm", "−": "-", "∞": r"\infty",
    "≤": r"\leq", "≥": r"\geq", "≈": r"\approx", "≠": r"\neq", "⋆": r"\star", "★": r"\star",
    "√": r"\surd", "✓": r"\surd", "∈": r"\in", "∅": r"\emptyset", "°": r"^{\circ}", "Δ": r"\Delta",
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon",
    "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "ι": r"\iota", "κ": r"\kappa",
    "λ": r"\lambda", "μ": r"\mu", "µ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi",
    "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi",
    "ω": r"\omega", "Γ": r"\Gamma", "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi",
    "Σ": r"\Sigma", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega",
}  # fmt: skip

_TEXT = {
    "–": r"\textendash{}", "—": r"\textemdash{}", "‘": "`", "’": "'", "“": "``", "”": "''",
    "…": r"\dots{}",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}",
    "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
    "†": r"\dag{}", "‡": r"\ddag{}", "§": r"\S{}", "¶": r"\P{}", "©": r"\copyright{}",
    "£": r"\pounds{}", "\u00a0": "~", "\u2011": "-",
}  # fmt: skip

_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
    "\u0323": "d", "\u0331": "b",
}  # fmt: skip


def latex_text(text: str) -> str:
    r"""Escape a text for LaTeX.

    Parameters
    ----------
    text : str
        Any. Line breaks and control characters become spaces.

    Returns
    -------
    str
        Printable ASCII, so that it needs no input encoding. A character that the
        default fonts do not have is written as its plain equivalent where Unicode has
        one, else as its number, such as ``U+4E2D``.

    Examples
    --------
    >>> latex_text("50%_a&b")
    '50\\%\\_a\\&b'
    >>> latex_text("Müller, 3×3")
    'M\\"{u}ller, 3\\ensuremath{\\times}3'
    >>> latex_text("[12] Net")
    '{[}12] Net'
    """
    # Where a line of a table begins, the command that ended the one before takes these for its
    # argument and its star.
    return re.sub(r"^( *)([\[*])", r"\1{\2}", latex_inside_braces(text))


def latex_inside_braces(text: str) -> str:
    """As :func:`latex_text`, for an argument in braces: no command before it can take any of it."""
    normal = unicodedata.normalize("NFC", text)
    escaped = ""
    for is_raised, run in groupby(normal, key=lambda one: bool(_raised(one))):
        if is_raised:
            escaped += rf"\textsuperscript{{{''.join(map(_raised, run))}}}"
        else:
            escaped += "".join(map(_character, run))
    # LaTeX would make one longer dash of several hyphens.
    return re.sub(r"-(?=-)", "-{}", escaped)


def _raised(one: str) -> str:
    """What a superscript character raises, such as 6 for ⁶; empty for any other."""
    if not unicodedata.decomposition(one).startswith("<super>"):
        return ""
    plain = unicodedata.normalize("NFKD", one).replace("\u2212", "-")
    return plain if (plain.isascii() and plain.isalnum()) or plain in "+-=()" else ""


def _character(one: str) -> str:
    for known in (_SPECIAL, _TEXT):
        if one in known:
            return known[one]
    if one in _MATH:
        return rf"\ensuremath{{{_MATH[one]}}}"
    if " " <= one <= "~":
        return one
    if unicodedata.category(one) in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if unicodedata.category(one) == "Cf":
        # Invisible: joiners and marks of direction.
        return ""
    decomposed = unicodedata.normalize("NFD", one)
    if len(decomposed) == 2 and decomposed[1] in _ACCENTS and decomposed[0].isalpha():
        base = _character(decomposed[0])
        if len(base) == 1:
            return rf"\{_ACCENTS[decomposed[1]]}{{{base}}}"
    return _plain_equivalent(one)


def _plain_equivalent(one: str) -> str:
    """``ﬁ`` as two letters, ``ą`` as a, ``½`` as 1/2; else the number."""
    decomposed = unicodedata.normalize("NFKD", one)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("\u2044", "/")
    if not plain or not plain.isascii() or not plain.isprintable():
        return f"U+{ord(one):04X}"
    return "".join(_SPECIAL.get(c, c) for c in plain)
