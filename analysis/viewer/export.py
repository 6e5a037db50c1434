"""The same pages as files: they open from disk and from any web server."""

from pathlib import Path

from leap_lab.errors import UserError
from leap_lab.files import write_whole

from .pages import PAGE, POLICY_MARK, policy, shipped
from .server import text_of
from .site import Site

AS_SCRIPTS = '<meta name="documents" content="scripts">'  # where the page finds its documents


def export(site: Site, out: Path) -> Path:
    """Write the pages and all documents of a site into a folder and return the page; `UserError` if it cannot be made.

    A document is a script that hands itself over: from disk a page may load scripts, but read no files.
    """
    files = shipped()
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy(live=False)}">{AS_SCRIPTS}'
    files[PAGE] = files[PAGE].decode().replace(POLICY_MARK, head).encode()
    try:
        (out / "data").mkdir(parents=True, exist_ok=True)
        for folder in {(out / name).parent for name in files}:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out={out}: cannot make this folder: {error.strerror}") from error
    for name in site.names():
        if (document := site.document(name)) is not None:
            script = f'leapLabDocument("{name}",{text_of(document)});\n'
            write_whole(out / "data" / f"{name}.js", script.encode())
    for name, data in files.items():
        write_whole(out / name, data)
    return out / PAGE
