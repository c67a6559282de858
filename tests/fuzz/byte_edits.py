"""Changes to the bytes of a file, whatever they mean."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

__all__ = ["SIGNATURES", "byte_edits", "changed"]

SIGNATURES = (
    *(b"\x89HDF", b"OHDR", b"TREE", b"SNOD", b"HEAP", b"GCOL", b"FRHP", b"FHDB", b"FHIB"),
    *(b"BTHD", b"BTLF", b"BTIN", b"OCHK", b"FADB", b"EAHD", b"FAHD", b"EAIB", b"SMTB"),
    *(b"IHDR", b"IDAT", b"PLTE", b"pHYs", b"iCCP", b"zTXt", b"\xff\xd8", b"\xff\xc0", b"\xff\xc4"),
    *(b"\xff\xda", b"\xff\xdb", b"\xff\xe1", b"II*\0", b"MM\0*", b"NRRD", b"sizes", b"encoding"),
)
"""What stands before a head in HDF5, PNG, JPEG, TIFF and nrrd files."""
_ODD = (0x00, 0x01, 0x02, 0x7F, 0x80, 0xFE, 0xFF)

_where = st.integers(0, 2**32 - 1)
_head = st.integers(0, 2047)
_byte = st.one_of(st.sampled_from(_ODD), st.integers(0, 255))
_run = st.integers(1, 64) | st.integers(1, 4096)

byte_edits = st.one_of(
    st.tuples(st.just("flip"), _where, st.integers(0, 7)),
    st.tuples(st.just("set"), _where, _byte),
    st.tuples(st.just("head"), _head, _byte),
    st.tuples(st.just("near"), _where, st.integers(0, 95), _byte),
    st.tuples(st.just("near8"), _where, st.integers(0, 95), st.sampled_from(("00", "7f", "ff"))),
    st.tuples(st.just("fill"), _where, _run, _byte),
    st.tuples(st.just("cut"), _where),
    st.tuples(st.just("drop"), _where, _run),
    st.tuples(st.just("copy"), _where, _where, _run),
    st.tuples(st.just("insert"), _where, st.binary(min_size=1, max_size=16).map(bytes.hex)),
    st.tuples(st.just("append"), st.binary(max_size=64).map(bytes.hex)),
)


def changed(content: bytes, edits: list[list[object]]) -> bytes:
    """The content with all edits made, one after the other."""
    data = bytearray(content)
    for edit in edits:
        if not data:
            break
        _change(data, *edit)
    return bytes(data)


def _change(data: bytearray, name: str, *args: Any) -> None:
    at = args[0] % len(data) if isinstance(args[0], int) else 0
    if name.startswith("near"):
        at = min(_signature(data, args[0]) + args[1], len(data) - 1)
    _CHANGES[name](data, at, *args)


def _flip(data: bytearray, at: int, _: int, bit: int) -> None:
    data[at] ^= 1 << bit


def _fill(data: bytearray, at: int, _: int, n: int, byte: int) -> None:
    data[at : at + n] = bytes([byte]) * len(data[at : at + n])


def _fill_near(data: bytearray, at: int, _: int, __: int, byte: str) -> None:
    data[at : at + 8] = bytes.fromhex(byte) * len(data[at : at + 8])


def _copy(data: bytearray, at: int, _: int, to: int, n: int) -> None:
    to %= len(data)
    data[to : to + n] = data[at : at + n]


def _insert(data: bytearray, at: int, _: int, text: str) -> None:
    data[at:at] = bytes.fromhex(text)


def _append(data: bytearray, _: int, text: str) -> None:
    data += bytes.fromhex(text)


_CHANGES: dict[str, Any] = {
    "flip": _flip,
    "set": lambda data, at, _, byte: data.__setitem__(at, byte),
    "head": lambda data, at, _, byte: data.__setitem__(at, byte),
    "near": lambda data, at, _, __, byte: data.__setitem__(at, byte),
    "near8": _fill_near,
    "fill": _fill,
    "cut": lambda data, at, _: data.__delitem__(slice(at, None)),
    "drop": lambda data, at, _, n: data.__delitem__(slice(at, at + n)),
    "copy": _copy,
    "insert": _insert,
    "append": _append,
}


def _signature(data: bytearray, which: int) -> int:
    """Where one of the heads in a file stands."""
    found = []
    for signature in SIGNATURES:
        at = data.find(signature)
        while at >= 0 and len(found) < 500:
            found.append(at)
            at = data.find(signature, at + 1)
    return sorted(found)[which % len(found)] if found else which % min(len(data), 256)
