"""Images, flatmaps, regions and outlines to draw under and over the hexagons.

Everything is in flat space, y up. An image's row 0 is its top. Uses neither napari nor a display.
"""

from napari_hexrecruit.atlas.volumes import (
    Volume,
    VoxelFlatmap,
    flat_positions,
    read_flatmap,
    read_ids,
)
from napari_hexrecruit.flatmap._hemispheres import under_hemispheres
from napari_hexrecruit.flatmap._hexes import (
    HexRegions,
    density_image,
    hex_image,
    hex_regions,
    majority_codes,
    neuron_regions,
)
from napari_hexrecruit.flatmap._image_files import read_flat_image, sidecar_of, write_sidecar
from napari_hexrecruit.flatmap._images import FlatImage, Nudge
from napari_hexrecruit.flatmap._voxels import (
    FlatRegions,
    depth_image,
    footprint_image,
    region_areas,
    voxel_count_image,
)

__all__ = [
    "FlatImage",
    "FlatRegions",
    "HexRegions",
    "Nudge",
    "Volume",
    "VoxelFlatmap",
    "density_image",
    "depth_image",
    "flat_positions",
    "footprint_image",
    "hex_image",
    "hex_regions",
    "majority_codes",
    "neuron_regions",
    "read_flat_image",
    "read_flatmap",
    "read_ids",
    "region_areas",
    "sidecar_of",
    "under_hemispheres",
    "voxel_count_image",
    "write_sidecar",
]
