"""Fetching MNIST from public mirrors: into memory, with a progress bar, a size cap, retries and time limits.

Nothing here touches the disk: what a mirror sends is verified in memory, and only then may it be stored.
"""

import io
import threading
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from mnist_helpers.data.containers import IDX_NAMES, MNIST_ARRAYS, Arrays, DataError, Specs, read_idx, read_npz

_CHUNK_BYTES = 8192
_TRANSIENT_STATUS = (HTTPStatus.TOO_MANY_REQUESTS, 500, 502, 503, 504)


@dataclass(frozen=True)
class Mirror:
    """A place that serves MNIST: ``url`` is one npz file, or the directory of the four gzip-compressed IDX files."""

    url: str
    form: Literal["npz", "idx"]

    @property
    def host(self) -> str:
        """Name of the server, for people and for grouping."""
        return urlsplit(self.url).netloc


MIRRORS = (
    Mirror("https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz", "npz"),
    Mirror("https://ossci-datasets.s3.amazonaws.com/mnist/", "idx"),
    Mirror("https://storage.googleapis.com/cvdf-datasets/mnist/", "idx"),
    Mirror("https://raw.githubusercontent.com/fgnt/mnist/master/", "idx"),
)


@dataclass(frozen=True)
class Limits:
    """Bounds of a download. Times in seconds, sizes in bytes.

    ``answer``: until a server's first bytes; ``stall``: between two pieces; ``total``: for all mirrors together;
    ``size``: of one file; ``retries`` and ``delay``: how often, and after what pause, a file that broke off is asked
    for again.
    """

    answer: float = 8.0
    stall: float = 15.0
    total: float = 600.0
    size: int = 16 * 2**20
    retries: int = 2
    delay: float = 1.0


class FetchError(ConnectionError):
    """No mirror delivered MNIST; the message says what each of them did."""


class _Failure(Exception):
    """One request that failed. ``reached``: whether a server answered at all; ``transient``: whether to ask again."""

    def __init__(self, reason: str, *, reached: bool, transient: bool) -> None:
        super().__init__(reason)
        self.reached = reached
        self.transient = transient


def fetch(
    mirrors: Sequence[Mirror] = MIRRORS, specs: Specs = MNIST_ARRAYS, limits: Limits | None = None
) -> tuple[Arrays, Mirror]:
    """Return the verified arrays and the mirror they came from, the first in the given order that delivers.

    A server that cannot be reached is not asked a second time, so that a machine without a network knows so within
    seconds; a transfer that breaks off is repeated, with a warning. Raises ``FetchError`` when no mirror delivers.
    """
    limits = limits or Limits()
    deadline = time.monotonic() + limits.total
    silent: set[str] = set()  # hosts that did not answer
    reasons = []
    for mirror in mirrors:
        if mirror.host in silent:
            continue
        try:
            return _fetch_mirror(mirror, specs, limits, deadline), mirror
        except _Failure as failure:
            reasons.append(f"{mirror.host}: {failure}")
            if not failure.reached:
                silent.add(mirror.host)
        except DataError as error:
            warnings.warn(f"{mirror.url} does not deliver MNIST, going on without it: {error}", stacklevel=2)
            reasons.append(f"{mirror.host}: {error}")
    raise FetchError("No mirror of MNIST delivered it. " + "; ".join(reasons or ["no mirror is known"]))


def _fetch_mirror(mirror: Mirror, specs: Specs, limits: Limits, deadline: float) -> Arrays:
    if mirror.form == "npz":
        return read_npz(_fetch_file(mirror.url, limits, deadline), specs)
    arrays = {}
    for name in sorted(specs, key=lambda name: specs[name].nbytes):  # the small files first: they show a bad mirror
        url = f"{mirror.url.rstrip('/')}/{IDX_NAMES[name]}.gz"
        arrays[name] = read_idx(_fetch_file(url, limits, deadline), name, specs[name])
    return arrays


def _fetch_file(url: str, limits: Limits, deadline: float) -> io.BytesIO:
    """Return one file; repeat a transfer that broke off, as ``sklearn.datasets`` does."""
    for attempt in range(limits.retries + 1):
        try:
            return _Transfer(limits, deadline).run(url)
        except _Failure as failure:
            if not failure.transient or attempt == limits.retries or time.monotonic() + limits.delay > deadline:
                raise
            warnings.warn(f"Retry downloading from url: {url} ({failure})", stacklevel=2)
            time.sleep(limits.delay)
    raise AssertionError("unreachable")


class _Transfer:
    """One request, made by pooch in a thread, watched from outside.

    A timeout of the HTTP library bounds each single wait, not their sum, and no wait for a name server. So the thread
    only receives, while ``run`` watches the clock, draws the bar, and walks away from a request that takes too long.
    The object is both the file that pooch writes to and the progress bar that it reports to.
    """

    def __init__(self, limits: Limits, deadline: float) -> None:
        self.limits = limits
        self.deadline = deadline
        self.content = io.BytesIO()
        self.received = 0
        self.error: Exception | None = None
        self.finished = threading.Event()
        self.abandoned = False
        self._total = 0

    # -- the file and the progress bar, called by pooch

    def write(self, chunk: bytes) -> None:
        if self.abandoned:
            raise TimeoutError("nobody waits for this transfer any more")
        self.received += len(chunk)
        self._check_size(self.received)
        self.content.write(chunk)

    def flush(self) -> None: ...

    @property
    def total(self) -> int:
        return self._total

    @total.setter
    def total(self, value: int) -> None:
        self._check_size(value)
        self._total = value

    def update(self, count: int) -> None: ...

    def reset(self) -> None: ...

    def close(self) -> None: ...

    def _check_size(self, size: int) -> None:
        if size > self.limits.size:
            raise DataError(f"the file is larger than {self.limits.size:,} bytes")

    # -- the watching side

    def run(self, url: str) -> io.BytesIO:
        """Return the content of ``url``; raises ``_Failure``, or ``DataError`` for a file over the size cap."""
        threading.Thread(target=self._receive, args=(url,), daemon=True).start()
        try:
            self._watch(url.rsplit("/", 1)[-1])
        finally:
            self.abandoned = True
        if isinstance(self.error, DataError | _Failure):
            raise self.error
        if self.error is not None:
            raise _explain(self.error, self.received) from self.error
        self.content.seek(0)
        return self.content

    def _receive(self, url: str) -> None:
        import pooch

        patience = self.limits.answer + self.limits.stall  # longer than the watching side waits
        responses: list[Any] = []  # pooch leaves those of failed requests open

        def arrived(response: Any, **_: Any) -> None:
            responses.append(response)
            _check_redirect(response)
            if response.is_redirect:
                response.close()  # or requests would read the whole body, of any size, before it goes on

        options = {"timeout": patience, "hooks": {"response": arrived}}
        try:
            pooch.HTTPDownloader(progressbar=self, chunk_size=_CHUNK_BYTES, **options)(url, self, None)
        except Exception as error:  # handed over to the watching thread
            self.error = error
        finally:
            for response in responses:
                response.close()
            self.finished.set()

    def _watch(self, name: str) -> None:
        from tqdm import tqdm

        moved = time.monotonic()
        with tqdm(desc=f"MNIST: {name}", unit="B", unit_scale=True, leave=False, delay=0.5) as bar:
            while not self.finished.wait(0.05):
                now = time.monotonic()
                if self.received > bar.n:
                    moved, bar.total = now, self.total or None
                    bar.update(self.received - bar.n)
                patience = self.limits.stall if self.received else self.limits.answer
                if now - moved > patience or now > self.deadline:
                    raise self._timeout(now > self.deadline, patience)

    def _timeout(self, over: bool, patience: float) -> _Failure:
        if over:
            return _Failure("the time limit of the download is over", reached=True, transient=False)
        if self.received:
            return _Failure(f"stalled for {patience:g} s", reached=True, transient=True)
        return _Failure(f"no answer within {patience:g} s", reached=False, transient=False)


def _check_redirect(response: Any) -> None:
    """Raise ``_Failure`` for an answer that leads to another host, or away from https."""
    if not response.is_redirect:
        return
    here, there = urlsplit(response.url), urlsplit(urljoin(response.url, response.headers["location"]))
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        place = f"{there.scheme}://{there.netloc}"
        raise _Failure(f"leads to {place}, which is no listed mirror", reached=True, transient=False)


def _explain(error: Any, received: int) -> _Failure:
    """Sort an error of the HTTP library: did a server answer, and could the same request succeed a moment later?"""
    import requests
    from urllib3.exceptions import MaxRetryError

    if isinstance(error, requests.HTTPError):
        status = getattr(error.response, "status_code", None)
        return _Failure(f"HTTP status {status}", reached=True, transient=status in _TRANSIENT_STATUS)
    reason = error.args[0] if error.args else error
    if received:
        return _Failure("the transfer broke off", reached=True, transient=True)
    if isinstance(error, requests.ConnectionError) and isinstance(reason, MaxRetryError):
        return _Failure(f"not reachable ({type(reason.reason).__name__})", reached=False, transient=False)
    broken = isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError)
    return _Failure(str(error) or type(error).__name__, reached=broken, transient=broken)
