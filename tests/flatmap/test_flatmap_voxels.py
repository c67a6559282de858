"""Voxel volumes and the pictures that are made of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import voxcell
from hypothesis import given
from hypothesis import strategies as st
from tests.support.atlas_files import LETTER, VOXEL, letter_flatmap, slab_flatmap

from napari_hexrecruit import SimulationDataError, render_frames
from napari_hexrecruit.flatmap import (
    depth_image,
    flat_positions,
    footprint_image,
    read_flatmap,
    read_ids,
    region_areas,
    voxel_count_image,
)

HEIGHT, WIDTH = LETTER.shape


@pytest.fixture
def write(tmp_path):
    def write(volume, name="volume", **options):
        path = tmp_path / f"{name}.nrrd"
        volume.save_nrrd(str(path), **options)
        return path

    return write


def ids_like(flatmap, ids):
    return voxcell.VoxelData(np.asarray(ids), flatmap.voxel_dimensions, flatmap.offset)


def letter_regions():
    """The F with its stem as region 20, its upper bar 7 and its middle one 300."""
    ids = np.zeros(letter_flatmap().shape, dtype=np.int64)
    for row, column in np.argwhere(LETTER):
        ids[HEIGHT - 1 - row, :, column] = 20 if column == 0 else 7 if row == 0 else 300
    return ids


class TestVolumes:
    @pytest.mark.parametrize("encoding", ["gzip", "raw", "ascii", "bzip2"])
    @pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
    def test_every_encoding_gives_the_same(self, write, encoding, dtype):
        volume = letter_flatmap(3, dtype)
        flatmap = read_flatmap(write(volume, encoding=encoding))
        at = flatmap.volume.voxels
        i, j, k = at % HEIGHT, at // HEIGHT % 2, at // HEIGHT // 2
        np.testing.assert_array_equal(flatmap.volume.values, volume.raw[i, j, k])
        assert len(at) == 2 * LETTER.sum()
        assert flatmap.volume.values.dtype == dtype

    def test_big_endian(self, tmp_path):
        import nrrd

        volume = letter_flatmap(2, np.float32)
        header = {"space dimension": 3, "space directions": [[np.nan] * 3, *np.eye(3)]}
        data = np.moveaxis(volume.raw, -1, 0).astype(">f4")
        nrrd.write(str(tmp_path / "b.nrrd"), data, header | {"encoding": "raw", "endian": "big"})
        flatmap = read_flatmap(tmp_path / "b.nrrd")
        assert flatmap.x.max() == WIDTH - 1
        assert flatmap.x.dtype.isnative

    @given(data=st.data())
    def test_look_ups_are_those_of_voxcell(self, data, tmp_path_factory):
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
        shape = tuple(data.draw(st.integers(1, 6)) for _ in range(3))
        size = [data.draw(st.sampled_from([0.5, 10.0, 38.7348])) for _ in range(3)]
        raw = rng.integers(-1, 2, (*shape, 2)) * rng.integers(0, 2, (*shape, 1))
        raw[0, 0, 0] = 5
        volume = voxcell.VoxelData(raw, size, rng.uniform(-1e3, 1e3, 3))
        path = tmp_path_factory.mktemp("v") / "v.nrrd"
        volume.save_nrrd(str(path))
        volume = voxcell.VoxelData.load_nrrd(path)
        low, high = volume.bbox
        positions = rng.uniform(low - 0.3 * (high - low), high + 0.3 * (high - low), (300, 3))
        inside = ((positions >= low) & (positions < high)).all(axis=1)
        x, y = flat_positions(read_flatmap(path), *positions.T)
        np.testing.assert_array_equal(np.isnan(x), ~inside)
        np.testing.assert_array_equal(
            np.stack([x, y], axis=1)[inside], volume.lookup(positions[inside])
        )

    def test_a_box_that_runs_backwards_ends_too(self, write):
        """voxcell gives the last voxel's value beyond the end of such an axis."""
        volume = letter_flatmap()
        flatmap = read_flatmap(write(volume))
        z = 300.0 - np.array([-0.1, 0.0, 5.0, WIDTH * VOXEL - 0.1, WIDTH * VOXEL, 1e6])
        x, _ = flat_positions(flatmap, np.full(6, 1055.0), np.full(6, -495.0), z)
        np.testing.assert_array_equal(x, [np.nan, 0, 0, 3, np.nan, np.nan])

    def test_centres_are_in_their_voxels(self, write):
        flatmap = read_flatmap(write(letter_flatmap()))
        rows = flatmap.volume.rows_at(*flatmap.volume.centres().T)
        np.testing.assert_array_equal(rows, np.arange(len(rows)))

    def test_minus_1_in_one_component_is_a_position(self, write):
        volume = slab_flatmap(3)
        volume.raw[0, 0, 0] = -1, 4
        volume = volume.with_data(np.where(volume.raw == 2, np.nan, volume.raw))
        flatmap = read_flatmap(write(volume))
        assert (-1, 4) in zip(flatmap.x.tolist(), flatmap.y.tolist(), strict=True)
        assert np.isfinite(flatmap.x).all() and np.isfinite(flatmap.y).all()

    @pytest.mark.parametrize(("factor", "units", "step"), [(1, "pixel", 1.0), (1.5, "um", VOXEL)])
    def test_units(self, write, factor, units, step):
        volume = slab_flatmap()
        volume = volume.with_data(np.where(volume.raw == -1, -1.0, volume.raw * factor))
        flatmap = read_flatmap(write(volume))
        assert (flatmap.units, flatmap.resolution) == (units, step)


class TestUnreadable:
    @pytest.mark.parametrize("n", [1, 4])
    def test_components(self, write, n):
        path = write(voxcell.VoxelData(np.zeros((3, 3, 3, n)), (1, 1, 1)))
        with pytest.raises(SimulationDataError, match=f"{n} components a voxel; a flatmap has 2"):
            read_flatmap(path)

    def test_nothing_in_it(self, write):
        nothing = voxcell.VoxelData(np.full((3, 3, 3, 2), -1), (1, 1, 1))
        with pytest.raises(SimulationDataError, match="no voxel has a flat position"):
            read_flatmap(write(nothing))
        with pytest.raises(SimulationDataError, match="all voxels are 0"):
            read_ids(write(voxcell.VoxelData(np.zeros((3, 3, 3)), (1, 1, 1)), "ids"))

    @pytest.mark.parametrize(("value", "message"), [(0.5, "not ids"), (-3, "has the id -3")])
    def test_no_ids(self, write, value, message):
        with pytest.raises(SimulationDataError, match=message):
            read_ids(write(voxcell.VoxelData(np.full((2, 2, 2), value), (1, 1, 1))))

    def test_missing_or_a_folder(self, tmp_path):
        with pytest.raises(SimulationDataError, match="does not exist: give an nrrd file"):
            read_flatmap(tmp_path / "a.nrrd")
        with pytest.raises(SimulationDataError, match="is a folder"):
            read_flatmap(tmp_path)

    @pytest.mark.parametrize("encoding", ["gzip", "raw", "bzip2"])
    @pytest.mark.parametrize("left", [0.2, 0.7, 0.99])
    def test_incomplete(self, write, encoding, left):
        noise = np.random.default_rng(0).uniform(size=(9, 9, 9, 2))
        path = write(voxcell.VoxelData(noise, (1, 1, 1)), encoding=encoding)
        path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
        with pytest.raises(SimulationDataError, match="is it complete") as error:
            read_flatmap(path)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        "text",
        [
            "not an nrrd",
            "NRRD0005\ntype: int\ndimension: 2\nsizes: 2 2\nencoding: raw\n\n",
            "NRRD0005\ntype: int\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n",
            "NRRD0005\ntype: int\ndimension: 3\nspace dimension: 3\nsizes: 2 2 2\nencoding: raw\n"
            "space directions: (1,1,0) (0,1,0) (0,0,1)\n\n",
            "NRRD0005\ntype: int\ndimension: 3\nspace dimension: 3\nsizes: 2 2 2\nencoding: raw\n"
            "space directions: (1,0,0) (0,0,0) (0,0,1)\n\n",
        ],
    )
    def test_no_volume(self, tmp_path, text):
        (tmp_path / "a.nrrd").write_text(text)
        with pytest.raises(SimulationDataError, match="cannot be read as an nrrd volume"):
            read_ids(tmp_path / "a.nrrd")

    def test_spacings_will_do(self, tmp_path):
        head = (
            "NRRD0005\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\nspacings: 1 2 3\n\n"
        )
        (tmp_path / "a.nrrd").write_bytes(head.encode() + bytes([0, 0, 0, 0, 0, 0, 0, 8]))
        volume = read_ids(tmp_path / "a.nrrd")
        assert volume.centres().tolist() == [[1.5, 3.0, 4.5]]


class TestPictures:
    def test_the_footprint_is_the_letter(self, write):
        image = footprint_image(read_flatmap(write(letter_flatmap())))
        np.testing.assert_array_equal(image.pixels, LETTER)
        assert image.extent == (-0.5, WIDTH - 0.5, -0.5, HEIGHT - 0.5)
        assert image.units == "pixel"

    def test_in_micrometres(self, write):
        flatmap = read_flatmap(write(letter_flatmap(2, np.float64, 10.5)))
        image = footprint_image(flatmap, pixel_size=10.5)
        np.testing.assert_array_equal(image.pixels, LETTER)
        assert image.extent == tuple(10.5 * e for e in (-0.5, WIDTH - 0.5, -0.5, HEIGHT - 0.5))
        row, column = image.pixel_at(flatmap.x, flatmap.y)
        assert image.pixels[row, column].all()
        assert footprint_image(flatmap).pixel_size == (VOXEL, VOXEL)

    def test_count_and_depth(self, write):
        flatmap = read_flatmap(write(letter_flatmap(3)))
        np.testing.assert_array_equal(voxel_count_image(flatmap).pixels, 2 * LETTER)
        depth = depth_image(flatmap).pixels
        np.testing.assert_array_equal(depth, np.where(LETTER, 100.0, np.nan))

    def test_no_depth(self, write):
        with pytest.raises(ValueError, match="has no depth, only x and y"):
            depth_image(read_flatmap(write(letter_flatmap())))

    @pytest.mark.parametrize("size", [0.0, -1.0, np.nan])
    def test_pixel_size(self, write, size):
        with pytest.raises(ValueError, match="pixel_size"):
            footprint_image(read_flatmap(write(letter_flatmap())), pixel_size=size)


class TestRegions:
    @pytest.fixture
    def flatmap(self, write):
        return read_flatmap(write(letter_flatmap(), "flatmap"))

    @pytest.fixture
    def regions(self, flatmap, write):
        return region_areas(flatmap, read_ids(write(ids_like(letter_flatmap(), letter_regions()))))

    def test_labels(self, regions):
        assert regions.names == ("7", "20", "300")
        expected = np.array(
            [
                [2, 1, 1, 1],
                [2, 0, 0, 0],
                [2, 3, 3, 0],
                [2, 0, 0, 0],
                [2, 0, 0, 0],
                [2, 0, 0, 0],
            ]
        )
        np.testing.assert_array_equal(regions.image.pixels, expected)
        assert len({tuple(colour) for colour in regions.colours.tolist()}) == 3

    def test_polygons_are_where_the_pixels_are(self, regions):
        bar, stem, middle = regions.polygons()
        assert corners(stem) == {(-0.5, -0.5), (0.5, -0.5), (0.5, 5.5), (-0.5, 5.5)}
        assert corners(bar) == {(0.5, 4.5), (3.5, 4.5), (3.5, 5.5), (0.5, 5.5)}
        assert corners(middle) == {(0.5, 2.5), (2.5, 2.5), (2.5, 3.5), (0.5, 3.5)}
        assert [area(rings[0]) for rings in (bar, stem, middle)] == [3, 6, 2]

    def test_outlines_have_every_border_once(self, regions):
        lengths = sum(np.abs(np.diff(line, axis=0)).sum() for line in regions.outlines())
        around = 2 * (HEIGHT + WIDTH) + 2 * 2  # the bay between the bars adds both its sides
        assert lengths == around + 2  # and two borders between regions
        assert len(regions.outlines()) <= 3

    def test_names_stand_in_their_regions(self, regions):
        np.testing.assert_allclose(regions.centroids(), [[2, 5], [0, 2.5], [1.5, 3]])

    def test_a_pixel_is_of_the_region_with_most_voxels_then_of_the_lowest_id(self, write):
        raw = np.zeros((1, 6, 1, 2), dtype=np.int32)
        raw[0, 3:] = 1
        ids = np.array([9, 9, 4, 5, 8, 0]).reshape(1, 6, 1)
        like = voxcell.VoxelData(raw, (1, 1, 1))
        flatmap = read_flatmap(write(like, "flatmap"))
        regions = region_areas(flatmap, read_ids(write(ids_like(like, ids))))
        labels = regions.image.pixels
        names = [("", *regions.names)[label] for label in labels.ravel()]
        assert names == ["", "5", "9", ""]  # the upper row first

    def test_another_raster_of_voxels(self, flatmap, write):
        """An annotation with voxels half as large, in another box."""
        ids = np.kron(letter_regions(), np.ones((2, 2, 2), dtype=np.int64))
        fine = voxcell.VoxelData(ids, (5.0, 5.0, -5.0), letter_flatmap().offset)
        regions = region_areas(flatmap, read_ids(write(fine)))
        assert regions.image.pixels[0].tolist() == [2, 1, 1, 1]

    def test_another_atlas(self, flatmap, write):
        far = voxcell.VoxelData(np.ones((2, 2, 2), dtype=np.int64), (1, 1, 1), (9e5, 0, 0))
        with pytest.raises(ValueError, match="give volumes of the same atlas"):
            region_areas(flatmap, read_ids(write(far)))

    def test_holes_and_corners(self, write):
        pixels = np.array([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1]], dtype=bool)
        rows, columns = np.nonzero(pixels)
        raw = np.stack([columns, 3 - rows], axis=-1).reshape(-1, 1, 1, 2)
        like = voxcell.VoxelData(raw, (1, 1, 1))
        flatmap = read_flatmap(write(like, "flatmap"))
        ids = ids_like(like, np.ones((len(rows), 1, 1), dtype=np.int64))
        regions = region_areas(flatmap, read_ids(write(ids)))
        (rings,) = regions.polygons()
        assert sorted(area(ring) for ring in rings) == [-1, 1, 9]
        inside = regions.image.pixel_at(*regions.centroids().T)
        assert regions.image.pixels[inside].tolist() == [1]


class TestHierarchy:
    @pytest.fixture
    def hierarchy(self, tmp_path):
        def layer(number, name, acronym):
            return {"id": number, "name": name, "acronym": acronym, "children": []}

        content = {
            "id": 1,
            "name": "root",
            "acronym": "root",
            "children": [
                {
                    "id": 2,
                    "name": "Hindlimb",
                    "acronym": "S1HL",
                    "color_hex_triplet": "18F064",
                    "children": [
                        layer(7, "Hindlimb, layer 2/3", "S1HL2/3"),
                        layer(20, "Hindlimb, Layer 6a", "S1HL6a"),
                    ],
                },
                {
                    "id": 3,
                    "name": "Forelimb",
                    "acronym": "S1FL",
                    "color_hex_triplet": "no colour",
                    "children": [layer(300, "S1FL;L4", "S1FL;L4")],
                },
            ],
        }
        path = tmp_path / "hierarchy.json"
        path.write_text(json.dumps({"msg": [content]}))
        return path

    @pytest.fixture
    def volumes(self, write):
        ids = write(ids_like(letter_flatmap(), letter_regions()))
        return read_flatmap(write(letter_flatmap(), "flatmap")), read_ids(ids)

    def test_layers_are_of_their_region(self, volumes, hierarchy):
        regions = region_areas(*volumes, hierarchy)
        assert regions.names == ("S1HL", "S1FL")
        assert [area.name for area in regions.areas] == ["Hindlimb", "Forelimb"]
        np.testing.assert_array_equal(regions.image.pixels == 2, letter_part(300))
        assert regions.colours[0].tolist() == [0x18, 0xF0, 0x64]

    def test_layers_apart(self, volumes, hierarchy):
        regions = region_areas(*volumes, hierarchy, layers_apart=True)
        assert regions.names == ("S1HL2/3", "S1HL6a", "S1FL;L4")

    def test_an_id_that_it_lacks_is_named_by_its_number(self, volumes, hierarchy):
        hierarchy.write_text(hierarchy.read_text().replace("300", "301"))
        assert region_areas(*volumes, hierarchy).names == ("S1HL", "300")

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"msg": []}', '{"id": 1}'])
    def test_a_damaged_one(self, volumes, hierarchy, text):
        hierarchy.write_text(text)
        with pytest.raises(
            SimulationDataError, match=r"hierarchy\.json: is not a hierarchy"
        ) as error:
            region_areas(*volumes, hierarchy)
        assert "\n" not in str(error.value)

    def test_a_missing_one(self, volumes, tmp_path):
        with pytest.raises(SimulationDataError, match="is not a hierarchy"):
            region_areas(*volumes, tmp_path / "nothing.json")


def test_under_hexagons_the_letter_is_where_it_belongs(write):
    """Footprint, outlines and hexagons of an F, drawn together, fall on one another in pixels."""
    from tests.support.cubes import cube_of

    flatmap = read_flatmap(write(letter_flatmap(2, np.float64, 100.5)))
    image = footprint_image(flatmap, pixel_size=100.5)
    cube = cube_of([[100]], row=[1], col=[1], radius=40.0)  # in the empty part of the F
    options = {"colorbar": False, "scale_bar": False, "timestamp": False, "fit": "all"}
    frames = render_frames(
        cube, under=image.as_underlay(), size=(600, 600), clim=(0, 100), **options
    )
    frame, view = frames[0], frames.scene.layout.panels[0]
    panel = frames.scene.panels[0]
    for (x, y), letter in {
        **{(100.5 * c, 100.5 * (HEIGHT - 1 - r)): LETTER[r, c] for r, c in np.ndindex(LETTER.shape)}
    }.items():
        px, py = panel.view.to_pixels(x + 30.0, y + 30.0)
        colour = frame[int(view.top + py), int(view.left + px)]
        assert colour.tolist() == ([204] * 3 if letter else [255] * 3), (x, y)
    x, y = float(cube.x[0]), float(cube.y[0])
    px, py = panel.view.to_pixels(x, y)
    assert frame[int(view.top + py), int(view.left + px)].tolist() not in ([204] * 3, [255] * 3)


def letter_part(number):
    ids = letter_regions()[::-1, 0]
    return ids == number


def corners(rings):
    (ring,) = rings
    assert ring[0].tolist() == ring[-1].tolist()
    return {tuple(point) for point in ring.tolist()}


def area(ring):
    """Signed area: positive where the ring runs counter-clockwise."""
    (x0, y0), (x1, y1) = ring[:-1].T, ring[1:].T
    return float(np.sum(x0 * y1 - x1 * y0) / 2.0)
