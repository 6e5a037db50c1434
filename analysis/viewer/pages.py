"""The front end as it is shipped, and what a page may load."""

from pathlib import Path

BUILT = Path(__file__).parent / "built"
PAGE = "index.html"
POLICY_MARK = "<!-- policy -->"  # where the page of a folder of files gets its policy, since no server sends one


def shipped() -> dict[str, bytes]:
    """The files of the front end by their address, without a first slash: the page, scripts, style and fonts."""
    files = (file for file in sorted(BUILT.rglob("*")) if file.is_file())
    return {file.relative_to(BUILT).as_posix(): file.read_bytes() for file in files}


def policy(live: bool) -> str:
    """The content-security policy: only what comes with the page, no inline script, nothing from elsewhere.

    `live`: a server gives documents as JSON. Else they are scripts, and the page may be opened from disk, where
    browsers do not agree on whether `'self'` covers the files beside it.
    """
    own = "'self'" if live else "'self' file:"
    rules = {
        "default-src": "'none'",
        "script-src": own,
        "style-src": own,
        "font-src": own,
        "img-src": own,
        "connect-src": "'self'" if live else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    framed = "; frame-ancestors 'none'" if live else ""  # a page cannot say this of itself
    return "; ".join(f"{name} {value}" for name, value in rules.items()) + framed
