"""The layout of netCDF-4 is that of h5netcdf, down to what only HDF5 shows."""

from __future__ import annotations

import io

import h5netcdf
import h5py
import numpy as np
import xarray as xr
from tests.support.cubes import wave_cube
from xarray.conventions import cf_encoder, encode_dataset_coordinates

from napari_hexrecruit.storage.netcdf_layout import laid_out

LATER = {"chunks": (4, 20), "shuffle": True, "compression": "gzip", "compression_opts": 1}


def test_the_layout_is_that_of_h5netcdf():
    cube = wave_cube(n_rows=4, n_cols=5, n_bins=8)
    cube = cube.assign_coords(onset=5.0, is_picked=("hex", cube["i"].to_numpy() % 2 == 0))
    cube["kinds"] = (("trial", "kind"), np.array([["a", "ä"], ["", "b"]]))
    cube["of_nothing"] = (("nothing", "hex"), np.zeros((0, 20)))
    cube["of_none"] = (("hex", "nothing"), np.zeros((20, 0), np.int8))
    cube["kind"] = (("trial", "kind"), np.arange(4.0).reshape(2, 2))
    cube["trial"] = (("trial", "kind"), np.arange(4).reshape(2, 2))
    cube["onset"].attrs = {"names": ["a", "b"], "limits": [0.0, 1.5], "name": "µ", "empty": ""}
    encoded = (*cf_encoder(*encode_dataset_coordinates(cube)), cube.sizes)
    ours = laid_out(*encoded, {"n_spikes": LATER})
    theirs = by_h5netcdf(*encoded, {"n_spikes": LATER})
    assert layout_of(ours) == layout_of(theirs)
    with xr.open_dataset(ours, engine="h5netcdf") as one, xr.open_dataset(theirs) as other:
        assert one.identical(other)
        assert list(one.variables) == list(other.variables)


def by_h5netcdf(variables, attrs, sizes, later):
    content = io.BytesIO()
    with h5netcdf.File(content, "w") as file:
        file.dimensions = dict(sizes)
        file.attrs.update(attrs)
        for name, variable in variables.items():
            dtype = h5py.string_dtype() if variable.dtype.kind in "OU" else variable.dtype
            stored = file.create_variable(name, variable.dims, dtype, **later.get(name, {}))
            stored.attrs.update(variable.attrs)
            if name not in later and variable.size:
                stored[...] = variable.values
    return content


def layout_of(content):
    """Types, dimensions, how values are stored, all attributes, and the order of all."""
    hidden = ("CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", "_")
    with h5py.File(content) as file:

        def plain(value):
            if isinstance(value, (np.ndarray, np.generic)):
                value = value.tolist()
            if isinstance(value, (list, tuple)):
                return [plain(one) for one in value]
            return file[value].name if isinstance(value, h5py.Reference) else value

        def attrs(of):
            found = {n: (of.attrs.get_id(n).dtype, plain(v)) for n, v in of.attrs.items()}
            if "REFERENCE_LIST" in found:
                found["REFERENCE_LIST"] = sorted(found["REFERENCE_LIST"][1])
            found.pop("_NCProperties", None)  # which libraries made it
            shown = [name for name in found if not name.startswith(hidden)]
            return sorted(map(repr, found.items())), shown

        def stored(one):
            options = one.id.get_create_plist()
            filters = [options.get_filter(k) for k in range(options.get_nfilters())]
            layout, times = options.get_layout(), options.get_obj_track_times()
            return one.dtype, one.shape, one.maxshape, layout, times, filters, attrs(one)

        place_holders = {name for name, one in file.items() if one.dtype == ">f4"}
        order = [name for name in file if name not in place_holders]
        return {name: stored(one) for name, one in file.items()}, attrs(file), order
