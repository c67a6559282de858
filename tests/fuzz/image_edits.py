"""Images of all sorts, and heads of images that claim what they do not hold."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

__all__ = ["image_edits", "made_image"]

_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16")
_FORMATS = (
    *("PNG", "TIFF", "JPEG", "GIF", "BMP", "WEBP", "PPM", "ICO", "TGA", "PCX", "DDS", "EPS", "PDF"),
    *("JPEG2000", "SGI", "IM", "MSP", "XBM", "ICNS", "SPIDER", "MPO", "AVIF", "QOI", "BLP"),
)
_COMPRESSIONS = ("raw", "tiff_lzw", "tiff_deflate", "packbits", "group3", "group4", "jpeg", "lzma")
_DPI = (0, -1, 1e-9, 72, 1e300, 25.4, float("nan"), float("inf"), 1e9, 137)
_SIDES = (0, 1, 2, 7, 5000, 20_000, 65_535, 100_000, 2**31 - 1, 2**31, 2**32 - 1)
_OME = (
    '<OME><Pixels PhysicalSizeX="1" PhysicalSizeY="1"/></OME>',
    '<OME><Pixels PhysicalSizeX="nan" PhysicalSizeY="-1" PhysicalSizeXUnit="mm"/></OME>',
    '<OME><Pixels PhysicalSizeX="x" PhysicalSizeY="1"/></OME>',
    "<OME><Pixels",
    "<OME>" * 20_000,
    '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbbbbbbbbbbbb">'
    + "".join(f"<!ENTITY {chr(99 + i)} '" + f"&{chr(98 + i)};" * 10 + "'>" for i in range(9))
    + ']><OME><Pixels PhysicalSizeX="&k;" PhysicalSizeY="1"/></OME>',
    '<!DOCTYPE a [<!ENTITY b SYSTEM "/etc/passwd">]><OME><Pixels PhysicalSizeX="&b;"/></OME>',
    "ImageJ=1.53\nunit=micron\n",
    "ImageJ=1.53\nunit=\nspacing=x\n=\n",
)

image_edits = st.one_of(
    st.tuples(
        st.just("save"),
        st.sampled_from(_FORMATS),
        st.sampled_from(_MODES),
        st.sampled_from((1, 2, 7, 40, 300)),
        st.sampled_from((1, 2, 7, 30)),
    ),
    st.tuples(
        st.just("save"), st.sampled_from(_FORMATS[:6]), st.sampled_from(_MODES), *[st.just(9)] * 2
    ),
    st.tuples(st.just("claim"), st.sampled_from(_SIDES), st.sampled_from(_SIDES)),
    st.tuples(st.just("claim"), st.sampled_from(_SIDES), st.sampled_from(_SIDES)),
    st.tuples(st.just("bomb"), st.sampled_from((5000, 9000, 12_000, 30_000))),
    st.tuples(st.just("pages"), st.sampled_from((2, 50))),
    st.tuples(st.just("dpi"), st.sampled_from(_DPI), st.sampled_from(_DPI)),
    st.tuples(st.just("compress"), st.sampled_from(_COMPRESSIONS), st.sampled_from(_MODES)),
    st.tuples(st.just("ome"), st.sampled_from(_OME)),
    st.tuples(st.just("exif"), st.integers(0, 255), st.binary(max_size=40).map(bytes.hex)),
    st.tuples(st.just("icc"), st.binary(max_size=40).map(bytes.hex)),
    st.tuples(
        st.just("chunk"),
        st.sampled_from(
            (
                "zTXt",
                "iTXt",
                "tEXt",
                "pHYs",
                "tRNS",
                "PLTE",
                "gAMA",
                "acTL",
                "fcTL",
                "eXIf",
                "IEND",
                "IDAT",
                "sBIT",
                "cHRM",
            )
        ),
        st.binary(max_size=40).map(bytes.hex),
    ),
)


def made_image(content: bytes, edits: list[list[Any]]) -> bytes:
    """The image after all edits; one that Pillow cannot write changes nothing."""
    for name, *args in edits:
        try:
            content = _EDITS[name](content, *args)
        except Exception:  # Pillow's writers raise anything for pictures that they cannot hold
            continue
    return content


def _picture(mode: str, width: int, height: int) -> Image.Image:
    values = np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray(values[..., 0].astype(np.uint16) * 257)
    if mode == "PA":
        return Image.fromarray(values).convert("P").convert("PA")
    if mode in ("LAB", "HSV"):
        return Image.fromarray(values, mode=mode)
    return Image.fromarray(values).convert(mode)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _again(content: bytes, kind: str | None = None, **options: Any) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        kind = kind or image.format or "PNG"
        image.load()
        return _saved(image, kind, **options)


def _claim(content: bytes, width: int, height: int) -> bytes:
    """Another size in the head of a PNG, BMP, GIF, TIFF or JPEG, checksum and all."""
    if content.startswith(b"\x89PNG"):
        head = struct.pack(">II", width, height) + content[24:29]
        checksum = struct.pack(">I", zlib.crc32(b"IHDR" + head))
        return content[:16] + head + checksum + content[33:]
    if content.startswith(b"BM"):
        return content[:18] + struct.pack("<II", width, height) + content[26:]
    if content.startswith(b"GIF"):
        return content[:6] + struct.pack("<HH", width % 65536, height % 65536) + content[10:]
    if content.startswith(b"\xff\xd8"):
        at = content.find(b"\xff\xc0")
        size = struct.pack(">HH", height % 65536, width % 65536)
        return content[: at + 5] + size + content[at + 9 :] if at > 0 else content
    if content.startswith(b"II*\0"):
        return _claim_tiff(bytearray(content), width, height)
    return content


def _claim_tiff(content: bytearray, width: int, height: int) -> bytes:
    (at,) = struct.unpack_from("<I", content, 4)
    (n,) = struct.unpack_from("<H", content, at)
    for entry in range(at + 2, at + 2 + 12 * n, 12):
        (tag,) = struct.unpack_from("<H", content, entry)
        if tag in (256, 257):
            content[entry + 2 : entry + 12] = struct.pack(
                "<HII", 4, 1, width if tag == 256 else height
            )
    return bytes(content)


def _bomb(_: bytes, side: int) -> bytes:
    """A PNG of one colour: a small file, a large picture."""
    rows = zlib.compressobj(9)
    line = bytes(1 + side // 8 + 1)
    data = b"".join(rows.compress(line) for _ in range(side)) + rows.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _png(b"IHDR", head) + _png(b"IDAT", data) + _png(b"IEND", b"")


def _png(name: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + checksum


def _pages(content: bytes, n: int) -> bytes:
    pages = [_picture("L", 8, 6)] * n
    return _saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])


def _exif(content: bytes, tag: int, value: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112 if tag < 128 else tag * 7] = tag % 12 if tag < 128 else bytes.fromhex(value)
    return _again(content, exif=exif)


def _chunk(content: bytes, name: str, data: str) -> bytes:
    return content[:33] + _png(name.encode(), bytes.fromhex(data)) + content[33:]


_EDITS: dict[str, Any] = {
    "save": lambda _, kind, mode, width, height: _saved(_picture(mode, width, height), kind),
    "claim": _claim,
    "bomb": _bomb,
    "pages": _pages,
    "dpi": lambda content, x, y: _again(content, dpi=(x, y)),
    "compress": lambda _, how, mode: _saved(_picture(mode, 30, 20), "TIFF", compression=how),
    "ome": lambda content, text: _again(content, "TIFF", tiffinfo={270: text}),
    "exif": _exif,
    "icc": lambda content, data: _again(content, icc_profile=bytes.fromhex(data)),
    "chunk": _chunk,
}
