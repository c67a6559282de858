"""Which simulations a campaign has: lists, patterns, and files of several origins."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.support.campaign_files import write_json, write_run

from napari_hexrecruit.campaign import Campaign, Member, list_simulations
from napari_hexrecruit.errors import SimulationDataError

CONFIG = "simulation_config.json"


@pytest.fixture
def runs(tmp_path):
    """Two simulations, in ``0`` and ``1``."""
    for k in range(2):
        write_run(tmp_path / str(k), seed=k)
    return tmp_path


def parameters_of(campaign):
    return [dict(member.parameters) for member in campaign.members]


def paths_of(campaign):
    return [member.path for member in campaign.members]


class TestLists:
    @pytest.mark.parametrize(
        "sources",
        [
            pytest.param(lambda at: [at / "0" / CONFIG, at / "1" / CONFIG], id="paths"),
            pytest.param(lambda at: [str(at / "0"), str(at / "1")], id="folders"),
            pytest.param(lambda at: str(at / "*" / CONFIG), id="pattern"),
            pytest.param(lambda at: [at / "?", at / "0" / CONFIG], id="pattern-and-again"),
            pytest.param(lambda at: str(at / "**" / CONFIG), id="recursive"),
        ],
    )
    def test_simulations_are_found_once_in_their_order(self, runs, sources):
        campaign = list_simulations(sources(runs))
        assert paths_of(campaign) == [runs / "0" / CONFIG, runs / "1" / CONFIG]

    def test_paths_are_absolute(self, runs, monkeypatch):
        monkeypatch.chdir(runs)
        assert paths_of(list_simulations("0")) == [runs / "0" / CONFIG]

    def test_one_simulation_is_a_campaign(self, runs):
        campaign = list_simulations(runs / "0" / CONFIG)
        assert parameters_of(campaign) == [{}] and campaign.axes == {} and campaign.notes == ()

    def test_configurations_tell_the_parameters(self, tmp_path):
        for k, (amp, rate) in enumerate(itertools.product((0.1, 0.2), (5, 10))):
            inputs = {
                "pulse": {"module": "pulse", "amp_start": amp, "node_set": "everyone", "delay": 0},
                "noise": {"module": "noise", "mean": amp, "spike_file": f"spikes-{k}.h5"},
            }
            manipulation = [{"name": "ach", "weight": rate}]
            output = {"output_dir": "output", "spikes_file": "spikes.h5", "log_file": f"{k}.log"}
            write_run(
                tmp_path / str(k), inputs=inputs, connection_overrides=manipulation, output=output
            )
        campaign = list_simulations(str(tmp_path / "*"))
        # the mean is the same as the amplitude everywhere; names of files are no parameters
        assert campaign.axes == {
            "inputs.pulse.amp_start": (0.1, 0.2),
            "connection_overrides.ach.weight": (5, 10),
        }
        (note,) = campaign.notes
        assert "taken from where the configurations differ: inputs.pulse.amp_start," in note

    def test_differences_that_do_not_tell_simulations_apart_are_no_parameters(self, tmp_path):
        for k, dt in enumerate((0.1, 0.1, 0.025)):
            write_run(tmp_path / str(k), run={"tstop": 100.0, "dt": dt})
        campaign = list_simulations(str(tmp_path / "*"))
        assert parameters_of(campaign) == [{}, {}, {}]
        assert "differ in run.dt, but several simulations have the same" in campaign.notes[0]

    def test_a_value_that_some_configurations_lack_is_no_parameter(self, tmp_path):
        write_run(tmp_path / "0", conditions={"celsius": 34.0, "v_init": -80})
        write_run(tmp_path / "1", conditions={"v_init": -70})
        assert parameters_of(list_simulations(str(tmp_path / "*"))) == [
            {"conditions.v_init": -80},
            {"conditions.v_init": -70},
        ]

    def test_equal_configurations_have_no_parameters(self, runs):
        campaign = list_simulations([runs / "0", runs / "1"])
        assert campaign.axes == {}
        assert campaign.notes == ("the configurations do not differ in a parameter",)


class TestOwnFormat:
    ROWS = (
        {"path": "0", "parameters": {"ca": 1}},
        {"path": f"1/{CONFIG}", "parameters": {"ca": 2}},
    )

    @pytest.mark.parametrize("wrap", [list, lambda rows: {"simulations": list(rows)}])
    def test_json(self, runs, wrap):
        campaign = list_simulations(write_json(runs / "campaign.json", wrap(self.ROWS)))
        assert paths_of(campaign) == [runs / "0" / CONFIG, runs / "1" / CONFIG]
        assert campaign.axes == {"ca": (1, 2)}

    def test_yaml_and_names_alone(self, runs):
        path = runs / "campaign.yaml"
        path.write_text(yaml.safe_dump({"simulations": ["0", "1"]}))
        assert paths_of(list_simulations(path)) == [runs / "0" / CONFIG, runs / "1" / CONFIG]

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            pytest.param({"simulations": 3}, "'simulations' is 3: give a list", id="no-list"),
            pytest.param([{"parameters": {}}], "simulation 1 has no 'path'", id="no-path"),
            pytest.param(
                [{"path": "0", "parameters": [1]}], r"'parameters' of .* \[1\]", id="list"
            ),
            pytest.param(["0", "0"], "is listed twice", id="twice"),
            pytest.param(
                [{"path": "0", "parameters": {"ca": 1}}, "1"], "2 lacks .* 'ca'", id="lacks-one"
            ),
            pytest.param([], "no simulation: name at least one", id="empty"),
            pytest.param({"what": 1}, r"known format \(found: 'what'\)", id="unknown"),
            pytest.param("text", r"known format \(found: str\)", id="text"),
        ],
    )
    def test_faults_are_told_in_a_line(self, runs, content, says):
        path = write_json(runs / "campaign.json", content)
        with pytest.raises(ValueError, match=says) as told:
            list_simulations(path)
        assert "\n" not in str(told.value)


class TestBbpWorkflow:
    """The dict of an `xarray.DataArray`, as bbp-workflow writes it and blueetl reads it."""

    GRID: ClassVar = {
        "name": "c26abad3-0861-4f7d-863c-a42daffd029f",
        "dims": ["ca", "pct", "seed"],
        "attrs": {"path_prefix": "sims", "circuit_config": "circuit_config.json"},
        "data": [[["a/000"], ["a/001"]], [["a/002"], [""]]],
        "coords": {
            "ca": {"dims": ["ca"], "attrs": {}, "data": [1.15, 1.05]},
            "pct": {"dims": ["pct"], "attrs": {}, "data": [50, 60]},
            "seed": {"dims": ["seed"], "attrs": {}, "data": [628462]},
        },
    }

    def test_a_grid_with_a_simulation_that_was_left_out(self, tmp_path):
        campaign = list_simulations(write_json(tmp_path / "config.json", self.GRID))
        sims = tmp_path / "sims" / "a"
        assert paths_of(campaign) == [*(sims / f"00{k}" / CONFIG for k in range(3)), None]
        assert parameters_of(campaign)[1] == {"ca": 1.15, "pct": 60, "seed": 628462}
        assert campaign.axes == {"ca": (1.05, 1.15), "pct": (50, 60)}

    def test_coupled_coordinates(self, tmp_path):
        content = {
            "name": "881857e0",
            "dims": ["coupled"],
            "attrs": {"path_prefix": "/path/to/campaign"},
            "data": ["881857e0/000", "881857e0/001"],
            "coords": {
                "ca": {"dims": ["coupled"], "attrs": {}, "data": [1.0, 1.15]},
                "fr_scale": {"dims": ["coupled"], "attrs": {}, "data": [0.125, 1.0]},
            },
        }
        campaign = list_simulations(write_json(tmp_path / "config.json", content))
        assert paths_of(campaign)[0] == Path("/path/to/campaign/881857e0/000") / CONFIG
        assert campaign.axes == {}
        assert parameters_of(campaign)[1] == {"ca": 1.15, "fr_scale": 1.0}

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"attrs": {"circuit_config": "/gpfs/CircuitConfig"}}, "these are not SONATA"),
            ({"data": [[["https://nexus/1"], ["b"]], [["c"], ["d"]]]}, "is an address: download"),
            ({"data": ["a", "b"]}, "'data' has 1 axes, and 'dims' has 3"),
            ({"coords": {"ca": {"dims": ["ca"], "data": [1.0]}}}, "cannot be read as a campaign"),
            ({"coords": {"ca": [1.0]}}, "cannot be read as a campaign"),
        ],
    )
    def test_faults_are_told_in_a_line(self, tmp_path, change, says):
        path = write_json(tmp_path / "config.json", {**self.GRID, **change})
        with pytest.raises(SimulationDataError, match=says) as told:
            list_simulations(path)
        assert str(told.value).startswith(str(path))
        assert "\n" not in str(told.value)


def test_blueetls_own_format(tmp_path):
    content = {
        "format": "blueetl",
        "version": 1,
        "name": "49b28d57",
        "attrs": {"path_prefix": ".", "circuit_config": "../circuit/circuit_config.json"},
        "data": [
            {"seed": 334630, "simulation_path": f"0/{CONFIG}"},
            {"seed": 174404, "simulation_path": "1"},
        ],
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(content))
    campaign = list_simulations(path)
    assert paths_of(campaign) == [tmp_path / "0" / CONFIG, tmp_path / "1" / CONFIG]
    assert campaign.axes == {"seed": (174404, 334630)}


class TestObiOne:
    """A scan, as OBI-ONE writes it: a form, and a folder per coordinate."""

    @staticmethod
    def coordinate(index, circuit, mg):
        return {
            "obi_one_version": "2026.7.2",
            "type": "CircuitSimulationSingleConfig",
            "idx": index,
            "single_coordinate_scan_params": {
                "type": "SingleCoordinateScanParams",
                "scan_params": [
                    {
                        "type": "SingleValueScanParam",
                        "location_list": ["synaptic_manipulations", "Mg", "magnesium_value"],
                        "value": mg,
                    },
                    {
                        "type": "SingleValueScanParam",
                        "location_list": ["initialize", "circuit"],
                        "value": {"name": circuit, "path": f"/data/{circuit}.json"},
                    },
                ],
            },
        }

    @pytest.fixture(params=["obi_one", "run"])
    def scan(self, tmp_path, request):
        of_scan, of_one = {
            "obi_one": ("obi_one_scan.json", "obi_one_coordinate.json"),
            "run": ("run_scan_config.json", "run_coordinate_instance.json"),
        }[request.param]
        grid = itertools.product(("N_10", "rc"), (2.4, 2.0))
        for k, (circuit, mg) in enumerate(grid):
            # folders by index sort as text in another order from ten on
            folder = tmp_path / "grid_scan" / str(8 + k)
            write_run(folder, seed=k)
            write_json(folder / of_one, self.coordinate(8 + k, circuit, mg))
        form = {"type": "GridScanGenerationTask", "output_root": "elsewhere", "form": {}}
        return write_json(tmp_path / "grid_scan" / of_scan, form)

    def test_a_scan(self, scan):
        campaign = list_simulations(scan)
        assert paths_of(campaign) == [scan.parent / str(8 + k) / CONFIG for k in range(4)]
        assert campaign.axes == {
            "synaptic_manipulations.Mg.magnesium_value": (2.0, 2.4),
            "initialize.circuit": ("N_10", "rc"),
        }

    def test_its_folder_and_its_simulations_mean_the_same(self, scan):
        campaign = list_simulations(scan)
        assert list_simulations(scan.parent) == campaign
        listed = list_simulations(str(scan.parent / "*" / CONFIG))
        assert listed.axes.keys() == campaign.axes.keys()
        assert set(paths_of(listed)) == set(paths_of(campaign))
        assert listed.notes == ("parameters are those of OBI-ONE's files beside the simulations",)

    def test_a_scan_without_coordinates(self, tmp_path):
        path = write_json(tmp_path / "obi_one_scan.json", {"type": "GridScan", "form": {}})
        with pytest.raises(SimulationDataError, match=r"no obi_one_coordinate\.json in folders"):
            list_simulations(path)

    def test_a_coordinate_of_another_form(self, scan):
        for file in scan.parent.glob("8/*.json"):
            if "coordinate" in file.name:
                file.write_text(json.dumps({"idx": 0, "single_coordinate_scan_params": {}}))
        with pytest.raises(SimulationDataError, match=r"cannot be read .* is it OBI-ONE's"):
            list_simulations(scan)


class TestFaults:
    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("missing.json", None, "does not exist: give simulations"),
            ("*.none", None, "matches no file: correct the pattern"),
            ("a.json", "{", "is not JSON or YAML"),
            ("a.yaml", "a: [", "is not JSON or YAML"),
            ("a.json", "\xff", "is not JSON or YAML"),
        ],
    )
    def test_told_in_a_line(self, tmp_path, name, content, says):
        if content is not None:
            (tmp_path / name).write_text(content)
        with pytest.raises(SimulationDataError, match=says) as told:
            list_simulations(tmp_path / name)
        assert "\n" not in str(told.value)

    def test_bytes_that_are_no_text(self, tmp_path):
        (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(SimulationDataError, match="it is not text"):
            list_simulations(tmp_path / "a.json")

    def test_an_empty_folder(self, tmp_path):
        with pytest.raises(SimulationDataError, match="has neither simulation_config"):
            list_simulations(tmp_path)

    def test_a_campaign_file_beside_simulations(self, runs):
        path = write_json(runs / "campaign.json", ["0"])
        with pytest.raises(SimulationDataError, match="or one campaign file alone"):
            list_simulations([runs / "1", path])


VALUES = st.one_of(
    st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True),
    st.lists(st.floats(-5, 5), min_size=1, max_size=4, unique=True),
    st.lists(st.text("abc", min_size=1), min_size=1, max_size=4, unique=True),
)


@given(columns=st.dictionaries(st.text("xyz", min_size=1), VALUES, max_size=3), data=st.data())
def test_a_grid_is_found_in_any_order_and_only_if_it_is_full(columns, data):
    rows = [dict(zip(columns, row, strict=True)) for row in itertools.product(*columns.values())]
    shuffled = data.draw(st.permutations(rows))
    axes = Campaign(tuple(Member(None, row) for row in shuffled)).axes
    several = {name: values for name, values in columns.items() if len(values) > 1}
    assert {name: set(values) for name, values in axes.items()} == {
        name: set(values) for name, values in several.items()
    }
    if several:
        assert Campaign(tuple(Member(None, row) for row in [*rows, rows[0]])).axes == {}
        n_several = [len(values) for values in several.values()]
        if len(rows) > 2 and n_several != [len(rows)]:
            assert Campaign(tuple(Member(None, row) for row in rows[1:])).axes == {}
