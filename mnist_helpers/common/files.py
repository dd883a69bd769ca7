"""Files that are never half-written."""

import glob
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_STALE_SECONDS = 3600.0


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file so that at any moment the old content or the new one stands there, whole.

    Raises ``OSError`` when it cannot be written; the temporary file is then removed. That of a process that was killed
    stays for an hour, until the file is written again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes it private, but a shared cache is read by others
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sweep(path: Path) -> None:
    """Remove what killed processes left half-written of this file."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):  # another process was faster
            age = time.time() - part.stat().st_mtime
            if abs(age) > _STALE_SECONDS:  # from the future: the clock was set back
                part.unlink()
