"""Read voxel volumes from nrrd files in blocks, without a copy of the whole volume in memory.

voxcell reads a whole volume and needs twice its size meanwhile: 3.5 GB and 10 s for the flatmap of
the rat's somatosensory cortex, in which 2 % of the voxels have a value. Files in one of the two
usual encodings are streamed here; voxcell reads all others.

Format: https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

Block = npt.NDArray[Any]

_BLOCK = 1 << 20
"""Voxels to read at a time."""
_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "signed short", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
_UM = {
    **dict.fromkeys(("um", "micron", "microns", "micrometer", "micrometers"), 1.0),
    **dict.fromkeys(("micrometre", "micrometres"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre", "nanometres"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 1e4),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1e6),
}
"""Micrometres per unit."""
_UNITS = ("space units", "units")
_MICRO = (b"\xc2\xb5", b"\xce\xbc", b"\xb5")
"""The micro sign and the Greek letter in UTF-8, and the sign in Latin 1. pynrrd skips characters
that are not ASCII, and so reads micrometres as metres."""
_SPACES_3D = (
    *("right-anterior-superior", "left-anterior-superior", "left-posterior-superior"),
    *("posterior-inferior-right", "RAS", "LAS", "LPS", "PIR"),
)


@dataclass(frozen=True)
class Header:
    """Header of a volume's file.

    Attributes
    ----------
    path
        The file.
    fields
        Its fields, as read by pynrrd.
    data_at
        Start of the data, bytes.
    shape
        Number of voxels along x, y, z.
    n_components
        Numbers per voxel.
    voxel_size
        (3,) float32, µm; negative if an axis runs against the coordinate.
    offset
        (3,) float32, corner of the first voxel, µm.
    """

    path: Path
    fields: Mapping[str, Any]
    data_at: int
    shape: tuple[int, int, int]
    n_components: int
    voxel_size: npt.NDArray[np.float32]
    offset: npt.NDArray[np.float32]

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """Type of the numbers; None if it is unknown here."""
        code = _TYPES.get(str(self.fields.get("type")))
        order = ">" if self.fields.get("endian") == "big" else "<"
        return None if code is None else np.dtype(order + code)

    @property
    def can_stream(self) -> bool:
        """Whether the data follow the header, in an encoding that this module reads."""
        away = {"data file", "datafile", "line skip", "lineskip", "byte skip", "byteskip"}
        encoding = self.fields.get("encoding")
        return (
            encoding in ("raw", "gzip", "gz")
            and self.dtype is not None
            and not away & set(self.fields)
        )


@contextmanager
def nrrd_errors(path: Path) -> Iterator[None]:
    """Convert errors of the libraries for a broken file to one line that names it."""
    import nrrd  # type: ignore[import-untyped]
    from voxcell.exceptions import VoxcellError

    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise SimulationDataError(path, f"{what}", "give an nrrd file")
    try:
        yield
    except SimulationDataError:
        raise
    except (
        *(nrrd.NRRDError, VoxcellError, OSError, EOFError, zlib.error),
        *(ValueError, KeyError, IndexError, TypeError, NotImplementedError, StopIteration),
    ) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SimulationDataError(
            path, f"cannot be read as an nrrd volume ({reason})", "is it complete?"
        ) from error


def read_header(path: Path) -> Header:
    """Read the header of a volume's nrrd file.

    Raises
    ------
    SimulationDataError
        If it is not an nrrd file of a three-dimensional volume along the coordinates.
    """
    import nrrd

    with nrrd_errors(path), np.errstate(all="ignore"), open(path, "rb") as file:
        fields = nrrd.read_header(_without_micro(file))
        sizes = [int(n) for n in fields["sizes"]]
        voxel_size, offset = _geometry(path, fields)
        n_payload = len(sizes) - 3
        if len(voxel_size) != 3 or n_payload not in (0, 1):
            raise ValueError(f"its axes are {sizes}, not x, y, z with at most one before them")
        if not (np.isfinite(voxel_size).all() and np.isfinite(offset).all() and voxel_size.all()):
            raise ValueError(f"its voxels are {voxel_size.tolist()} wide")
        n_components = sizes[0] if n_payload else 1
        shape = sizes[-3], sizes[-2], sizes[-1]
        return Header(path, fields, file.tell(), shape, n_components, voxel_size, offset)


def read_blocks(header: Header) -> Iterator[tuple[int, Block]]:
    """Yield the voxels of a volume, block by block.

    Yields
    ------
    first : int
        Number of the first voxel of the block; x varies fastest, then y, then z.
    block : (n_voxels, n_components) array

    Raises
    ------
    SimulationDataError
        If the file ends early or is damaged.
    """
    with nrrd_errors(header.path):
        blocks = _streamed(header) if header.can_stream else _loaded(header)
        first = 0
        for block in blocks:
            yield first, block
            first += len(block)
        if first != np.prod(header.shape):
            raise ValueError(f"it has {first:,} voxels, not {np.prod(header.shape):,}")


def read_image(path: Path) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Read data and header of any nrrd file, as pynrrd does: first axis first.

    Raises
    ------
    SimulationDataError
        If it is not an nrrd file or is damaged.
    """
    import nrrd

    with nrrd_errors(path), np.errstate(all="ignore"):
        data, fields = nrrd.read(str(path))
        with open(path, "rb") as file:
            units = nrrd.read_header(_without_micro(file))
        return np.asarray(data), {**fields, **{k: units[k] for k in _UNITS if k in units}}


def um_per_unit(path: Path, fields: Mapping[str, Any], n_axes: int) -> float:
    """Return the micrometres per unit of a file's coordinates; 1 if it states no unit.

    Raises
    ------
    SimulationDataError
        If its axes have different units, or an unknown one.
    """
    given = fields.get("space units") or fields.get("units", ())
    units = {str(unit).strip() for unit in given[-n_axes:]} - {"", "none", "???"}
    if len(units) > 1:
        listed = ", ".join(sorted(units))
        raise SimulationDataError(
            path, f"its axes have several units, {listed}", "convert it to um"
        )
    unit = units.pop() if units else "um"
    factor = _UM.get(unit, _UM.get(unit.lower()))
    if factor is None:
        remedy = "give its positions in um or mm, and name the unit in 'space units'"
        raise SimulationDataError(path, f"its unit {unit!r} is not known", remedy)
    return factor


def _without_micro(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a header with u instead of the micro sign."""
    for line in lines:
        for micro in _MICRO:
            line = line.replace(micro, b"u")
        yield line


def _streamed(header: Header) -> Iterator[Block]:
    dtype = cast("np.dtype[Any]", header.dtype)
    n_bytes = _BLOCK * header.n_components * dtype.itemsize
    with open(header.path, "rb") as file:
        file.seek(header.data_at)
        packed = header.fields["encoding"] != "raw"
        data = cast("IO[bytes]", gzip.GzipFile(fileobj=file) if packed else file)
        while part := data.read(n_bytes):
            numbers = np.frombuffer(part, dtype)  # raises if it is not a whole number of them
            yield numbers.reshape(-1, header.n_components)


def _loaded(header: Header) -> Iterator[Block]:
    import voxcell

    volume = voxcell.VoxelData.load_nrrd(header.path).raw.reshape(*header.shape, -1)
    for k in range(header.shape[2]):
        yield volume[:, :, k].swapaxes(0, 1).reshape(-1, header.n_components)


def _geometry(path: Path, fields: Mapping[str, Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return voxel size and offset, um, by the rules of ``voxcell.VoxelData.load_nrrd``."""
    n_dims = fields.get("space dimension", 3 if fields.get("space") in _SPACES_3D else 0)
    if "space directions" in fields:
        directions = np.array(fields["space directions"][-n_dims:], dtype=np.float64)
        if directions.ndim != 2 or (directions != np.diag(directions.diagonal())).any():
            raise ValueError("only space directions along the coordinates can be read")
        voxel_size = directions.diagonal()
    elif "spacings" in fields:
        voxel_size = np.array(fields["spacings"][-n_dims:], dtype=np.float64)
    else:
        raise ValueError("it has neither space directions nor spacings")
    origin = np.array(fields.get("space origin", np.zeros(len(voxel_size))), dtype=np.float64)
    um = um_per_unit(path, fields, len(voxel_size))
    return (um * voxel_size).astype(np.float32), (um * origin).astype(np.float32)
