"""Images in flat space: where each pixel lies, and what files say of it."""

from __future__ import annotations

import json

import hypothesis.extra.numpy as hnp
import nrrd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from tests.support.atlas_files import LETTER

from napari_hexrecruit import SimulationDataError
from napari_hexrecruit.flatmap import FlatImage, Nudge, read_flat_image, sidecar_of, write_sidecar

LETTER_PIXELS = np.where(LETTER, 255, 0).astype(np.uint8)
HEIGHT, WIDTH = LETTER.shape

numbers = st.floats(-1e4, 1e4, allow_nan=False)
sizes = st.floats(0.01, 100.0)
images = st.builds(
    FlatImage,
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    st.tuples(sizes, sizes),
    st.tuples(numbers, numbers),
    st.floats(-180, 180),
    nudge=st.builds(Nudge, numbers, numbers, st.floats(-180, 180), st.floats(0.1, 10)),
)


def letter_image(**options):
    return FlatImage(LETTER_PIXELS, **({"pixel_size": 10.0, "origin": (100.0, 200.0)} | options))


def centres(image):
    """Row, column and flat position of every pixel."""
    row, column = (a.ravel() for a in np.indices(image.shape))
    x, y, _ = image.affine @ np.stack([column, row, np.ones(len(row))])
    return row, column, x, y


class TestPlace:
    def test_row_0_is_the_top(self):
        image = letter_image()
        _, _, x, y = centres(image)
        assert (x[0], y[0]) == (105.0, 200.0 + 10 * HEIGHT - 5)
        assert (x[-1], y[-1]) == (100.0 + 10 * WIDTH - 5, 205.0)
        assert image.extent == (100.0, 140.0, 200.0, 260.0)

    @given(image=images)
    def test_pixel_at_is_the_inverse_of_the_affine(self, image):
        row, column, x, y = centres(image)
        found_row, found_column = image.pixel_at(x, y)
        np.testing.assert_array_equal(found_row, row)
        np.testing.assert_array_equal(found_column, column)

    @given(image=images)
    def test_what_is_beyond_a_border_is_outside(self, image):
        middle = image.corners.mean(axis=0)
        beyond = middle + 1.01 * (image.corners - middle)
        row, column = image.pixel_at(*beyond.T)
        assert (row == -1).all() and (column == -1).all()

    def test_nan_is_outside(self):
        assert letter_image().pixel_at([np.nan], [230.0])[0].tolist() == [-1]

    @given(image=images)
    def test_the_affine_of_napari_says_the_same(self, image):
        row, column, x, y = centres(image)
        found_y, found_x, _ = image.affine_yx @ np.stack([row, column, np.ones(len(row))])
        np.testing.assert_allclose([found_x, found_y], [x, y], rtol=1e-12, atol=1e-6)

    def test_rotation_is_counter_clockwise_around_the_lower_left_corner(self):
        turned = letter_image(rotation_deg=90.0)
        np.testing.assert_allclose(turned.corners[3], (100.0, 200.0), atol=1e-9)
        np.testing.assert_allclose(turned.corners[2], (100.0, 240.0), atol=1e-9)  # was to the right

    def test_pixels_need_not_be_square(self):
        assert letter_image(pixel_size=(10.0, 20.0)).extent == (100.0, 140.0, 200.0, 320.0)


class TestNudge:
    def test_moves_right_and_up(self):
        assert letter_image().nudged(dx=3.0, dy=-4.0).extent == (103.0, 143.0, 196.0, 256.0)

    @given(image=images, degrees=st.floats(-180, 180), scale=st.floats(0.1, 10))
    def test_turns_and_scales_around_the_centre(self, image, degrees, scale):
        before, after = image.nudged(), image.nudged(rotation_deg=degrees, scale=scale)
        middle = before.corners.mean(axis=0)
        np.testing.assert_allclose(after.corners.mean(axis=0), middle, rtol=1e-9, atol=1e-6)
        grown = np.linalg.det(after.affine[:2, :2]) / np.linalg.det(before.affine[:2, :2])
        np.testing.assert_allclose(grown, scale**2, rtol=1e-9)

    def test_replaces_an_earlier_nudge(self):
        image = letter_image().nudged(dx=50.0, scale=2.0).nudged(dx=1.0)
        assert image.nudge == Nudge(dx=1.0)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"scale": 0.0}, "scale must be greater than 0"),
            ({"dx": np.nan}, "dx must be a finite number"),
            ({"rotation_deg": "5"}, "rotation_deg must be a finite number"),
        ],
    )
    def test_mistakes(self, options, message):
        with pytest.raises(ValueError, match=message):
            letter_image().nudged(**options)


class TestUpright:
    @pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
    def test_quarter_turns_are_exact(self, quarter_turns):
        image = letter_image(rotation_deg=90.0 * quarter_turns).nudged(dx=1.0)
        upright = image.upright()
        np.testing.assert_array_equal(upright.pixels, np.rot90(LETTER_PIXELS, quarter_turns))
        np.testing.assert_allclose(upright.corners.min(axis=0), image.corners.min(axis=0))

    def test_what_is_outside_is_nothing(self):
        turned = letter_image(rotation_deg=45.0)
        assert turned.is_turned
        assert np.isnan(turned.upright().pixels[0, 0])
        colours = np.stack([LETTER_PIXELS] * 3, axis=-1)
        assert FlatImage(colours, 10.0, rotation_deg=45.0).upright().pixels[0, 0, 3] == 0
        assert not FlatImage(LETTER, 10.0, rotation_deg=45.0).upright().pixels[0, 0]

    def test_a_turned_image_has_no_extent(self):
        with pytest.raises(ValueError, match="a turned image has no extent"):
            letter_image(rotation_deg=180.0).extent  # noqa: B018

    def test_under_hexagons(self):
        values = np.array([[0.0, np.nan], [5.0, 10.0]])
        colours, extent = FlatImage(values, 1.0).as_underlay()
        assert colours[..., 0].tolist() == [[0, 0], [128, 255]]
        assert colours[..., 3].tolist() == [[255, 0], [255, 255]]
        assert extent == (0.0, 2.0, 0.0, 2.0)
        assert FlatImage(values, 1.0).as_underlay((0, 20))[0][1, 1, 0] == 128
        assert FlatImage(LETTER, 1.0).as_underlay()[0][..., 3].tolist() == (LETTER * 255).tolist()


class TestMistakes:
    @pytest.mark.parametrize(
        ("pixels", "options", "message"),
        [
            (np.zeros((2, 3, 2)), {}, r"\(height, width\) numbers"),
            (np.zeros((2, 3, 3)), {}, r"uint8, not \(2, 3, 3\) float64"),
            (np.zeros((0, 3)), {}, "must be"),
            (np.array([["a"]]), {}, "must be"),
            (LETTER_PIXELS, {"pixel_size": 0.0}, "pixel_size must be greater than 0, not 0.0"),
            (LETTER_PIXELS, {"pixel_size": (1.0, -1.0)}, "greater than 0"),
            (LETTER_PIXELS, {"pixel_size": (1.0, 1.0, 1.0)}, "one number or two"),
            (LETTER_PIXELS, {"pixel_size": np.inf}, "finite"),
            (LETTER_PIXELS, {"origin": (1.0,)}, r"origin must be two numbers \(x, y\)"),
            (LETTER_PIXELS, {"origin": (1.0, np.nan)}, "origin must be a finite number"),
        ],
    )
    def test_of_values(self, pixels, options, message):
        with pytest.raises(ValueError, match=message):
            FlatImage(pixels, **({"pixel_size": 1.0} | options))


def saved(path, pixels=LETTER_PIXELS, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


class TestFiles:
    @pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
    def test_grey(self, tmp_path, ending):
        image = read_flat_image(saved(tmp_path / f"f.{ending}"), pixel_size=10.0)
        np.testing.assert_array_equal(image.pixels, LETTER_PIXELS)
        assert (image.origin, image.rotation_deg, image.units) == ((0.0, 0.0), 0.0, "um")

    def test_jpeg(self, tmp_path):
        pixels = np.kron(LETTER_PIXELS, np.ones((16, 16), np.uint8))
        image = read_flat_image(saved(tmp_path / "f.jpg", pixels), pixel_size=1.0)
        np.testing.assert_array_equal(image.pixels[8::16, 8::16] > 128, LETTER)

    def test_a_jpeg_is_turned_as_viewers_turn_it(self, tmp_path):
        exif = Image.Exif()
        exif[274] = 3  # upside down
        pixels = np.kron(LETTER_PIXELS, np.ones((16, 16), np.uint8))
        image = read_flat_image(saved(tmp_path / "f.jpg", pixels, exif=exif), pixel_size=1.0)
        np.testing.assert_array_equal(image.pixels[8::16, 8::16] > 128, np.rot90(LETTER, 2))

    @pytest.mark.parametrize(
        ("mode", "shape"),
        [
            ("RGB", (HEIGHT, WIDTH, 3)),
            ("RGBA", (HEIGHT, WIDTH, 4)),
            ("LA", (HEIGHT, WIDTH, 4)),
            ("P", (HEIGHT, WIDTH, 3)),
            ("1", (HEIGHT, WIDTH)),
            ("I;16", (HEIGHT, WIDTH)),
            ("CMYK", (HEIGHT, WIDTH, 3)),
        ],
    )
    def test_modes(self, tmp_path, mode, shape):
        file = tmp_path / "f.tif"
        Image.fromarray(LETTER_PIXELS).convert(mode).save(file)
        image = read_flat_image(file, pixel_size=1.0)
        assert image.pixels.shape == shape
        bright = image.pixels if image.pixels.ndim == 2 else image.pixels[..., 0]
        np.testing.assert_array_equal(bright > 128, LETTER)

    def test_float_and_16_bit_values_stay(self, tmp_path):
        for pixels in (np.float32([[0.5, -3.0]]), np.uint16([[1, 60_000]])):
            image = read_flat_image(saved(tmp_path / "f.tif", pixels), pixel_size=1.0)
            np.testing.assert_array_equal(image.pixels, pixels)

    def test_a_png_with_a_see_through_colour(self, tmp_path):
        file = tmp_path / "f.png"
        Image.fromarray(LETTER_PIXELS).convert("P").save(file, transparency=0)
        image = read_flat_image(file, pixel_size=1.0)
        np.testing.assert_array_equal(image.pixels[..., 3] > 0, LETTER)


class TestPixelSize:
    def test_is_asked_for(self, tmp_path):
        with pytest.raises(ValueError, match=r"f\.png: .* give pixel_size"):
            read_flat_image(saved(tmp_path / "f.png"))

    @pytest.mark.parametrize("dpi", [72, 96, 300, 299.999])
    def test_a_resolution_for_print_says_nothing(self, tmp_path, dpi):
        for name in ("f.png", "f.tif", "f.jpg"):
            file = saved(tmp_path / name, dpi=(dpi, dpi))
            with pytest.raises(ValueError, match="give pixel_size"):
                read_flat_image(file)

    @pytest.mark.parametrize("name", ["f.tif", "f.png"])
    def test_of_a_resolution(self, tmp_path, name):
        file = saved(tmp_path / name, dpi=(2540, 5080))  # 10 and 5 um
        assert read_flat_image(file).pixel_size == pytest.approx((10.0, 5.0), rel=1e-3)

    def test_of_a_tiff_in_centimetres(self, tmp_path):
        file = saved(tmp_path / "f.tif", resolution_unit="cm", x_resolution=400, y_resolution=200)
        assert read_flat_image(file).pixel_size == pytest.approx((25.0, 50.0))

    def test_a_tiff_without_a_unit_says_nothing(self, tmp_path):
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[296], info[282], info[283] = 1, 400.0, 400.0
        with pytest.raises(ValueError, match="give pixel_size"):
            read_flat_image(saved(tmp_path / "f.tif", tiffinfo=info))

    @pytest.mark.parametrize(
        ("unit", "size"), [("micron", 2.5), (r"\u00B5m", 2.5), ("mm", 2500.0), ("inch", 63_500.0)]
    )
    def test_of_imagej(self, tmp_path, unit, size):
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[270] = f"ImageJ=1.54f\nunit={unit}\n"
        info[296], info[282], info[283] = 1, 0.4, 0.4
        file = saved(tmp_path / "f.tif", tiffinfo=info)
        assert read_flat_image(file).pixel_size == pytest.approx((size, size))

    @pytest.mark.parametrize(
        ("units", "size"),
        [("", (5.5, 6.5)), ('PhysicalSizeXUnit="nm" PhysicalSizeYUnit="mm"', (0.0055, 6500.0))],
    )
    def test_of_ome(self, tmp_path, units, size):
        file = saved(tmp_path / "f.ome.tif", tiffinfo={270: ome(units)})
        assert read_flat_image(file).pixel_size == pytest.approx(size)

    def test_an_unknown_unit_of_ome_says_nothing(self, tmp_path):
        units = 'PhysicalSizeXUnit="pixel" PhysicalSizeYUnit="pixel"'
        with pytest.raises(ValueError, match="give pixel_size"):
            read_flat_image(saved(tmp_path / "f.ome.tif", tiffinfo={270: ome(units)}))

    def test_damaged_ome(self, tmp_path):
        with pytest.raises(SimulationDataError, match="OME-XML is damaged"):
            read_flat_image(saved(tmp_path / "f.ome.tif", tiffinfo={270: ome("")[:-9]}))

    def test_what_is_given_wins(self, tmp_path):
        file = saved(tmp_path / "f.tif", dpi=(2540, 2540))
        assert read_flat_image(file, pixel_size=7.0).pixel_size == (7.0, 7.0)


def ome(units):
    return (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0"><Pixels PhysicalSizeX="5.5" PhysicalSizeY="6.5" {units}/></Image>'
        "</OME>"
    )


class TestNrrd:
    def write(self, path, data, **header):
        nrrd.write(str(path), data, header)
        return path

    def test_its_first_axis_is_x_and_its_second_y(self, tmp_path):
        data = LETTER_PIXELS[::-1].T  # [x, y], y up
        header = {"space dimension": 2, "space directions": np.diag([10.0, 20.0])}
        file = self.write(tmp_path / "f.nrrd", data, **header, **{"space origin": [105.0, 210.0]})
        image = read_flat_image(file)
        np.testing.assert_array_equal(image.pixels, LETTER_PIXELS)
        assert image.pixel_size == (10.0, 20.0)
        assert image.origin == (100.0, 200.0)  # half a pixel from the centre of the first sample

    def test_axes_may_run_backwards(self, tmp_path):
        header = {"space dimension": 2, "space directions": np.diag([-10.0, -20.0])}
        data = LETTER_PIXELS[:, ::-1].T
        origin = [105.0 + 10.0 * (WIDTH - 1), 210.0 + 20.0 * (HEIGHT - 1)]
        file = self.write(tmp_path / "f.nrrd", data, **header, **{"space origin": origin})
        image = read_flat_image(file)
        np.testing.assert_array_equal(image.pixels, LETTER_PIXELS)
        assert image.origin == (100.0, 200.0)

    def test_spacings_and_colours(self, tmp_path):
        colours = np.stack([LETTER_PIXELS] * 3)[:, ::-1].transpose(0, 2, 1)
        file = self.write(tmp_path / "f.nrrd", colours, spacings=[np.nan, 4.0, 4.0])
        image = read_flat_image(file, origin=(1.0, 2.0))
        np.testing.assert_array_equal(image.pixels[..., 1], LETTER_PIXELS)
        assert (image.pixel_size, image.origin) == ((4.0, 4.0), (1.0, 2.0))

    def test_without_a_size_it_is_asked_for(self, tmp_path):
        file = self.write(tmp_path / "f.nrrd", LETTER_PIXELS)
        with pytest.raises(ValueError, match="give pixel_size"):
            read_flat_image(file)

    def test_a_volume_is_no_image(self, tmp_path):
        file = self.write(tmp_path / "f.nrrd", np.zeros((5, 6, 7)))
        with pytest.raises(SimulationDataError, match=r"shape \(5, 6, 7\), no image"):
            read_flat_image(file)


class TestSidecar:
    def test_round_trip(self, tmp_path):
        file = saved(tmp_path / "f.png")
        image = letter_image(pixel_size=(3.0, 4.0), rotation_deg=12.0, units="pixel")
        image = image.nudged(dx=1.0, dy=-2.0, rotation_deg=3.0, scale=1.25)
        assert write_sidecar(file, image) == sidecar_of(file) == tmp_path / "f.png.flat.json"
        again = read_flat_image(file)
        np.testing.assert_array_equal(again.affine, image.affine)
        assert (again.nudge, again.units) == (image.nudge, "pixel")
        write_sidecar(file, again)
        np.testing.assert_array_equal(read_flat_image(file).affine, image.affine)

    def test_what_is_given_wins(self, tmp_path):
        file = saved(tmp_path / "f.png")
        write_sidecar(file, letter_image(rotation_deg=5.0))
        image = read_flat_image(file, pixel_size=2.0, rotation_deg=0.0)
        assert (image.pixel_size, image.origin, image.rotation_deg) == ((2, 2), (100, 200), 0)

    @pytest.mark.parametrize(
        "change",
        [
            {"pixel_size": [0, 1]},
            {"origin": "here"},
            {"nudge": {"dz": 1}},
            {"nudge": {"scale": -1}},
            {"version": 2},
            {"napari_hexrecruit": "cube"},
            "not JSON",
            [],
        ],
    )
    def test_a_damaged_one_is_named(self, tmp_path, change):
        file = saved(tmp_path / "f.png")
        beside = write_sidecar(file, letter_image())
        if isinstance(change, dict):
            change = json.loads(beside.read_text()) | change
        beside.write_text(change if isinstance(change, str) else json.dumps(change))
        with pytest.raises(SimulationDataError, match=r"f\.png\.flat\.json: .* correct or delete"):
            read_flat_image(file)


class TestUnreadable:
    def test_missing_or_no_image(self, tmp_path):
        with pytest.raises(SimulationDataError, match="does not exist: give an image file"):
            read_flat_image(tmp_path / "f.png")
        with pytest.raises(SimulationDataError, match="is a folder"):
            read_flat_image(tmp_path)
        (tmp_path / "f.png").write_text("no image")
        with pytest.raises(SimulationDataError, match="cannot be read as an image") as error:
            read_flat_image(tmp_path / "f.png")
        assert "\n" not in str(error.value)

    def test_half_an_image(self, tmp_path):
        file = saved(
            tmp_path / "f.png", np.random.default_rng(0).integers(0, 255, (50, 50), np.uint8)
        )
        file.write_bytes(file.read_bytes()[:1500])
        with pytest.raises(SimulationDataError, match="cannot be read as an image"):
            read_flat_image(file, pixel_size=1.0)

    def test_several_pages(self, tmp_path):
        page = Image.fromarray(LETTER_PIXELS)
        page.save(tmp_path / "f.tif", save_all=True, append_images=[page, page])
        with pytest.raises(SimulationDataError, match="has 3 pages"):
            read_flat_image(tmp_path / "f.tif", pixel_size=1.0)

    def test_a_bomb(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
        with pytest.raises(SimulationDataError, match="cannot be read as an image"):
            read_flat_image(saved(tmp_path / "f.png"), pixel_size=1.0)


def test_premises():
    turns = [np.rot90(LETTER, k) for k in range(4)]
    others = [*turns[1:], *(np.fliplr(turn) for turn in turns)]
    assert not any(np.array_equal(LETTER, other) for other in others)
