"""What the servers of the tests send: files of MNIST, whole, slowly, or less than they say."""

import struct
import time


def idx_bytes(array):
    """The IDX file of an array, written from the format's description."""
    magic = {1: 2049, 3: 2051}[array.ndim]
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()


def send(handler, content, *, length=None, pause=0.0, piece=1 << 20):
    """Answer a request with ``content``; ``length`` is what the header claims, ``pause`` the seconds between pieces."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    handler.end_headers()
    try:
        for start in range(0, len(content), piece):
            handler.wfile.write(content[start : start + piece])
            handler.wfile.flush()
            time.sleep(pause)
    except OSError:
        pass  # the client went away
