"""A package index on this machine, filled with stand-ins: wheels that hold metadata and nothing else."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from packaging.utils import canonicalize_name

_LINK = '<a href="{file}#sha256={digest}">{file}</a><br>\n'


def wheel(name: str, version: str, metadata: Iterable[str] = ()) -> tuple[str, bytes]:
    """Return the file name and the bytes of an empty wheel; ``metadata`` are further lines for its METADATA."""
    stem = f"{canonicalize_name(name).replace('-', '_')}-{version}"
    files = {
        "METADATA": "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]),
        "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{stem}.dist-info/{file},sha256={digest},{len(text.encode())}\n"
            archive.writestr(f"{stem}.dist-info/{file}", text)
        archive.writestr(f"{stem}.dist-info/RECORD", record + f"{stem}.dist-info/RECORD,,\n")
    return f"{stem}-py3-none-any.whl", content.getvalue()


def publish(index: Path, name: str, version: str, metadata: Iterable[str] = ()) -> str:
    """Add a stand-in to the index in a folder, as one folder and one page for each package; return its SHA-256."""
    file, content = wheel(name, version, metadata)
    digest = hashlib.sha256(content).hexdigest()
    folder = index / canonicalize_name(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(content)
    with (folder / "index.html").open("a", encoding="utf-8") as page:
        page.write(_LINK.format(file=file, digest=digest))
    return digest
