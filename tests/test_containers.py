import gzip
import hashlib
import io
import os
import pickle
import resource
import signal
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from mnist_helpers.data.containers import (
    IDX_NAMES,
    MNIST_ARRAYS,
    ArraySpec,
    DataError,
    read_idx,
    read_npz,
    read_path,
    write_npz,
)

SAVERS = [np.savez, np.savez_compressed]


def idx_bytes(array):
    """The IDX file of an array, written from the format's description."""
    magic = {1: 2049, 3: 2051}[array.ndim]
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()


def npz_of(saver=np.savez, **arrays):
    buffer = io.BytesIO()
    saver(buffer, **arrays)
    buffer.seek(0)
    return buffer


def same(found, expected):
    return set(found) == set(expected) and all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("saver", SAVERS)
def test_npz_is_read_compressed_or_not(fake, saver):
    assert same(read_npz(npz_of(saver, **fake.arrays), fake.specs), fake.arrays)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_is_read_compressed_or_not(fake, pack):
    for name, array in fake.arrays.items():
        found = read_idx(io.BytesIO(pack(idx_bytes(array))), name, fake.specs[name])
        assert np.array_equal(found, array)


def test_directory_of_idx_files_is_read(fake, tmp_path):
    for name, array in fake.arrays.items():
        if name.startswith("x"):
            (tmp_path / f"{IDX_NAMES[name]}.gz").write_bytes(gzip.compress(idx_bytes(array)))
        else:
            (tmp_path / IDX_NAMES[name]).write_bytes(idx_bytes(array))
    assert same(read_path(tmp_path, fake.specs), fake.arrays)
    (tmp_path / IDX_NAMES["y_test"]).unlink()
    with pytest.raises(FileNotFoundError, match="t10k-labels"):
        read_path(tmp_path, fake.specs)


def test_real_mnist_is_the_official_one(real_mnist):
    arrays = read_path(real_mnist)
    official = {  # MD5 of the uncompressed files at the original site
        "x_train": "6bbc9ace898e44ae57da46a324031adb",
        "y_train": "a25bea736e30d166cdddb491f175f624",
        "x_test": "2646ac647ad5339dbf082846283269ea",
        "y_test": "27ae3e4e09519cfbb04c329615203637",
    }
    assert {name: hashlib.md5(idx_bytes(array)).hexdigest() for name, array in arrays.items()} == official


def test_specs_have_the_sizes_of_mnist():
    assert sum(spec.nbytes for spec in MNIST_ARRAYS.values()) == 70000 * 785


@pytest.mark.parametrize("saver", SAVERS)
def test_truncated_npz_is_refused_at_any_length(fake, saver):
    content = npz_of(saver, **fake.arrays).getvalue()
    for length in [0, 1, 2, 30, *range(100, len(content), 9973), len(content) - 1]:
        with pytest.raises(DataError, match="not a complete npz archive"):
            read_npz(io.BytesIO(content[:length]), fake.specs)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_truncated_idx_is_refused_at_any_length(fake, pack):
    content = pack(idx_bytes(fake.arrays["x_test"]))
    for length in [0, 1, 3, 15, 16, 17, 5000, len(content) - 1]:
        with pytest.raises(DataError, match="x_test|complete IDX"):
            read_idx(io.BytesIO(content[:length]), "x_test", fake.specs["x_test"])


@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # damaged headers, seen by Python's parser
@pytest.mark.parametrize("saver", SAVERS)
def test_damaged_npz_gives_an_error_or_the_right_arrays(fake, saver):
    content = np.frombuffer(npz_of(saver, **fake.arrays).getvalue(), np.uint8)
    rng = np.random.default_rng(1)
    headers = np.r_[0:300, len(content) - 400 : len(content)]
    refused = 0
    for trial in range(300):
        damaged = content.copy()
        places = rng.choice(headers if trial % 2 else len(content), size=1 + trial % 4)
        damaged[places] ^= rng.integers(1, 256, len(places), dtype=np.uint8)
        try:
            assert same(read_npz(io.BytesIO(damaged.tobytes()), fake.specs), fake.arrays)
        except DataError:
            refused += 1
    assert refused > 150


def test_altered_pixel_is_refused(fake):
    altered = {name: array.copy() for name, array in fake.arrays.items()}
    altered["x_test"][7, 14, 14] ^= 1
    with pytest.raises(DataError, match="x_test must have the SHA-256"):
        read_npz(npz_of(**altered), fake.specs)
    with pytest.raises(DataError, match="x_test must have the SHA-256"):
        read_idx(io.BytesIO(idx_bytes(altered["x_test"])), "x_test", fake.specs["x_test"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[:-1], r"x_train must have shape \(240, 28, 28\).*Got \(239, 28, 28\)"),
        (lambda x: x.reshape(240, 784), r"Got \(240, 784\), uint8"),
        (lambda x: x.astype(np.float32), "Got .* float32"),
        (np.asfortranarray, "in C order"),
        (lambda x: x.astype(object), "pickled object array"),
    ],
)
def test_other_arrays_are_refused(fake, change, message):
    with pytest.raises(DataError, match=message):
        read_npz(npz_of(**fake.arrays | {"x_train": change(fake.arrays["x_train"])}), fake.specs)


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_pickles_are_never_executed(fake, tmp_path):
    trap = tmp_path / "executed"
    payload = np.array([Trap(str(trap))], dtype=object)
    with pytest.raises(DataError, match="never read"):
        read_npz(npz_of(**fake.arrays | {"x_train": payload}), fake.specs)
    assert not trap.exists()
    pickle.loads(pickle.dumps(payload))[0].close()
    assert trap.exists()  # the trap would have worked


def test_missing_array_is_named(fake):
    arrays = {name: array for name, array in fake.arrays.items() if name != "y_test"}
    with pytest.raises(DataError, match="y_test is missing.*x_test.npy"):
        read_npz(npz_of(**arrays), fake.specs)


def bomb():
    return npz_of(np.savez_compressed, y_test=np.zeros(30_000_000, np.uint8))


def giant_header():
    header, archive = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("y_test.npy", header.getvalue())
    return archive


@pytest.mark.parametrize("build", [bomb, giant_header])
def test_zip_bombs_cost_no_memory(build):
    content = build()
    tracemalloc.start()
    with pytest.raises(DataError, match="y_test must have shape"):
        read_npz(content, {"y_test": ArraySpec((40,), "")})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_compressed_in_other_ways_is_refused(method):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("y_test.npy", bytes(100))
    with pytest.raises(DataError, match=f"y_test.npy is stored with compression type {method}"):
        read_npz(content, {"y_test": ArraySpec((40,), "")})


def test_an_archive_of_many_members_costs_no_memory():
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 47 * 50_000, 0, 0)
    content = io.BytesIO(entry * 50_000 + end)
    tracemalloc.start()
    with pytest.raises(DataError, match="more members"):
        read_npz(content, {"y_test": ArraySpec((40,), "")})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


def with_header(text):
    """An npz archive with an array of this header, which is a Python literal."""
    header, archive = text.encode(), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("y_test.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header)
    return archive


def with_offset(offset):
    """An npz archive whose table says that its member lies at this place, in 64 bits."""
    extra = struct.pack("<2HQ", 1, 8, offset)
    numbers = 20, 20, 0, 0, 0, 0, 0, 0, 0, 10, len(extra), 0, 0, 0, 0, 2**32 - 1
    table = struct.pack("<4s6H3L5H2L", b"PK\1\2", *numbers) + b"y_test.npy" + extra
    return io.BytesIO(table + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(table), 0, 0))


BAD_HEADERS = ["{[]: 1}", "{1: 2, 'a': 3}", "[" * 9000, "(" * 150 + ")" * 150, "-" * 9000 + "1", "{'a': 1" + "0" * 5000]
BAD_HEADERS += ["{'descr': [('x', []), 3], 'fortran_order': False, 'shape': (40,)}"]
BAD_HEADERS += ["{'descr': '|u1', 'fortran_order': False, 'shape': (10**9**9,)}", "\0", ""]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("content", [*map(with_header, BAD_HEADERS), *map(with_offset, [2**64 - 1, 2**63, 2**62])])
def test_whatever_a_parser_trips_over_is_said_to_be_damaged(content):
    with pytest.raises(DataError, match="not a complete npz archive, damaged or something else: .+"):
        read_npz(content, {"y_test": ArraySpec((40,), "")})


def test_gzip_bomb_costs_no_memory():
    start = struct.pack(">II", 2049, 40)
    content = io.BytesIO(gzip.compress(start + bytes(30_000_000), 1))
    tracemalloc.start()
    with pytest.raises(DataError, match="y_test must have 40 bytes of data. Got more"):
        read_idx(content, "y_test", ArraySpec((40,), ""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


def test_idx_of_another_shape_is_refused(fake):
    with pytest.raises(DataError, match=r"IDX file of shape \(40, 28, 28\)"):
        read_idx(io.BytesIO(idx_bytes(fake.arrays["x_train"])), "x_test", fake.specs["x_test"])


def test_only_regular_files_of_a_sane_size_are_opened(fake, tmp_path):
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for ever
    with pytest.raises(DataError, match="pipe is not a regular file"):
        read_path(tmp_path / "pipe", fake.specs)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(DataError, match="1,099,511,627,776 bytes"):
        read_path(tmp_path / "large", fake.specs)


def test_full_disk_leaves_the_old_file_and_nothing_else(fake, tmp_path):
    path = tmp_path / "mnist.npz"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))  # a write beyond 50 kB fails, as on a full disk
    try:
        with pytest.raises(OSError, match="large"):
            write_npz(path, fake.arrays)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    write_npz(path, fake.arrays)
    assert same(read_path(path, fake.specs), fake.arrays)
