"""Test what can go wrong, and write docs/reliability.md from the results.

    python scripts/reliability.py [--part deviations|fuzz|kills|tests]... [--kills N] [--seconds S]

Each part writes its numbers as JSON to benchmarks/results/; the page is written from all of them,
so one part can be repeated alone. The tables are between marks; the rest is written by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PAGE = ROOT / "docs" / "reliability.md"
RESULTS = ROOT / "benchmarks" / "results"
TESTS = {
    "deviations": "tests/sonata/test_deviations.py",
    "outputs: names, kills, full disks, read-only folders, several runs": (
        "tests/storage/test_outputs.py"
    ),
    "caches: damaged, foreign, several writers": "tests/storage/test_outputs_caches.py",
}
SIGNALS = {"SIGKILL": 1.0, "SIGTERM": 0.25, "SIGINT": 0.25}
"""Number of runs to end by each signal, as a factor on ``--kills``."""


# --- tests ----------------------------------------------------------------------------------------


def deviations(options):
    """Return the outcome of each deviation: read, read and reported, or refused."""
    from tests.support.deviations import DEVIATIONS

    rows = []
    for name, deviation in DEVIATIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            outcome, said = _tried(Path(folder), name)
            said = [text.replace(f"{folder}/", "").replace(folder, ".") for text in said]
        rows.append({"what": deviation.what, "outcome": outcome, "said": said})
    return {"rows": rows, "handled": sum(row["outcome"] != "raised" for row in rows)}


def _tried(folder, name):
    from tests.support.deviations import write

    from napari_hexrecruit import HexRecruitError, open_simulation, recruitment_cube
    from napari_hexrecruit.command_line import as_option
    from napari_hexrecruit.errors import in_words

    opened, deviation = write(folder, name)
    try:
        cube = recruitment_cube(open_simulation(**opened), radius=40.0, **deviation.options)
    except (HexRecruitError, ValueError) as error:
        return "refused", [in_words(error, as_option)]
    except Exception as error:
        return "raised", [repr(error)]
    notes = json.loads(cube.attrs["notes"])
    return ("said" if notes else "read"), notes


def fuzz(options):
    """Test damaged files of every kind, as `make fuzz` does."""
    file = RESULTS / "fuzz-run.json"
    words = ["-m", "tests.fuzz", "--seconds", options.seconds, "--seed", options.seed]
    run = [sys.executable, *words, "--json", file, "--keep", ROOT / "fuzz-failures"]
    subprocess.run([str(word) for word in run], cwd=ROOT, check=False)
    return json.loads(file.read_text())


def kills(options):
    """End runs that replace an output at random, alone or with the processes they started."""
    from tests.support.outputs_kills import kill_rounds, kinds
    from tests.support.outputs_runs import Runner
    from tests.support.sonata_files import simple_files

    rng, rows = np.random.default_rng(options.seed), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "said").mkdir()
        config, cube = simple_files().write(folder / "sim"), folder / "cube.hexrecruit.nc"
        runner = Runner(folder / "said")
        assert runner.run("cube", config, "-o", cube) == (0, "")
        for kind, how in kinds(config, cube).items():
            for sent, share in SIGNALS.items():
                for group in (False, True):
                    tally = kill_rounds(
                        runner,
                        folder / f"{kind}-{sent}-{group}",
                        kind,
                        how,
                        rounds=max(1, round(options.kills * share / 2)),
                        rng=rng,
                        number=signal.Signals[sent],
                        group=group,
                    )
                    print(f"{kind:11} {sent} {tally}", flush=True)
                    rows.append({**vars(tally), "fine": tally.fine})
    return {"rows": rows}


def tests(options):
    """Run tests that need no numbers: count passed, failed and skipped ones of each file."""
    found = {}
    for what, file in TESTS.items():
        report = RESULTS / "tests.xml"
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", file]
        subprocess.run([sys.executable, *words], cwd=ROOT, check=False)
        suite = ElementTree.parse(report).getroot().find("testsuite")
        counts = {key: int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")}
        found[what] = {"file": file, **counts}
    return found


PARTS = {part.__name__: part for part in (deviations, fuzz, kills, tests)}


# --- the page -------------------------------------------------------------------------------------


def page(found):
    """Return the text of the page, with new tables between its marks."""
    damaged, killed = found["fuzz"], _killed(found["kills"]["rows"])
    totals = {key: sum(row[key] for row in killed) for key in ("runs", "writing", "harmed", "left")}
    rows = found["deviations"]["rows"]
    checks = found["tests"].values()
    passed = sum(one["tests"] - one["failures"] - one["errors"] - one["skipped"] for one in checks)
    summary = [
        ("deviations of real files", f"{len(rows)}"),
        ("… read, or refused in one line", f"{found['deviations']['handled']}"),
        ("damaged inputs", f"{_tried_inputs(damaged):,}"),
        ("… crashes", f"{damaged['crashes']}"),
        ("… hangs", f"{damaged['hangs']}"),
        ("… tracebacks, or unexpected outputs", f"{damaged['faults']}"),
        ("… most memory, excluding Python and its libraries", _mb(damaged["peak_bytes"])),
        ("killed or terminated runs", f"{totals['runs']:,}"),
        ("… in the middle of writing", f"{totals['writing']:,}"),
        ("… outputs that are neither the old nor the new one", f"{totals['harmed']}"),
        ("… leftovers after the next run", f"{totals['left']}"),
        ("tests of outputs, caches and deviations that passed", f"{passed}"),
    ]
    tables = {
        "summary": _table(("", "n"), summary, "-:"),
        "deviations": _table(("deviation of the files", "result"), map(_deviation, rows), "-"),
        "fuzz": _table(FUZZ_HEAD, [_damaged(*item) for item in damaged["kinds"].items()], "-:"),
        "kills": _table(KILLS_HEAD, [tuple(row.values()) for row in killed], "-:"),
    }
    tables["summary"] += f"\n\n{_where()}; damaged files for {damaged['seconds']:.0f} s."
    text = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(\n<!-- end -->)",
            lambda marks, table=table: f"{marks[1]}\n{table}\n{marks[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


def _where():
    packages = ", ".join(f"{name} {version(name)}" for name in ("h5py", "numpy", "numba"))
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"{system}, Python {platform.python_version()}, {packages}"


FUZZ_HEAD = ("file", "inputs", "read", "refused in one line", "wrong", "slowest", "memory")
KILLS_HEAD = (
    *("output", "signal", "runs", "while writing", "old one kept", "new one whole", "neither"),
    "leftovers",
)


def _killed(rows):
    """Return the table's rows: runs ended alone or with their processes are added up."""
    table = {}
    for row in rows:
        line = table.setdefault(
            (row["kind"], row["signal"]),
            {"output": row["kind"], "signal": row["signal"]}
            | dict.fromkeys(("runs", "writing", "kept", "replaced", "harmed", "left"), 0),
        )
        line["runs"] += row["rounds"]
        line["writing"] += row["caught_writing"]
        line["kept"] += row["kept"]
        line["replaced"] += row["replaced"]
        line["harmed"] += row["harmed"]
        line["left"] += row["untidy"] + (not row["cleared"])
    return list(table.values())


def _deviation(row):
    said = "; ".join(f"`{text}`" for text in row["said"])
    return row["what"], {"read": "read", "said": f"read, and reported: {said}"}.get(
        row["outcome"], f"{row['outcome']}: {said}"
    )


def _damaged(kind, of_kind):
    outcomes = of_kind["outcomes"]
    wrong = sum(outcomes.get(name, 0) for name in ("fault", "crash", "hang"))
    read = outcomes.get("done", 0) + outcomes.get("problems", 0)
    seconds, peak = f"{of_kind['slowest_seconds']:.1f} s", _mb(of_kind["peak_bytes"])
    counts = (_tried_inputs(of_kind), read, outcomes.get("refused", 0), wrong)
    return kind.replace("_", " "), *(f"{count:,}" for count in counts), seconds, peak


def _tried_inputs(found):
    return found["n_inputs"] - found["outcomes"].get("unmade", 0)


def _mb(n_bytes):
    return f"{n_bytes / 2**20:,.0f} MB"


def _table(head, rows, align):
    cells = [head, ("-",) + (align,) * (len(head) - 1), *rows]
    lines = ("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in cells)
    return "\n".join(lines)


def _cell(content):
    return " ".join(str(content).split()).replace("|", "\\|")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="append", choices=list(PARTS), help="default: all")
    parser.add_argument("--kills", type=int, default=60, help="killed runs of each output")
    parser.add_argument("--seconds", type=float, default=600.0, help="of damaged files")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, part in PARTS.items():
        file = RESULTS / f"reliability-{name}.json"
        if name in (options.part or PARTS) or not file.exists():
            print(f"reliability: {name}", flush=True)
            file.write_text(json.dumps(part(options), indent=1) + "\n")
        found[name] = json.loads(file.read_text())
    PAGE.write_text(page(found), encoding="utf-8")
    return _wrong(found)


def _wrong(found):
    """Return the exit status: 1 if any result breaks a promise of the page."""
    lost = [row["what"] for row in found["deviations"]["rows"] if row["outcome"] == "raised"]
    lost += [f"damaged {one['plan']['kind']}" for one in found["fuzz"]["bad"]]
    lost += [f"{row['kind']}, {row['signal']}" for row in found["kills"]["rows"] if not row["fine"]]
    lost += [one["file"] for one in found["tests"].values() if one["failures"] + one["errors"]]
    for what in lost:
        print(f"reliability: not as promised: {what}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
