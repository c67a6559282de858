"""``python -m tests.fuzz``: damaged files for a while, and what became of them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.fuzz.corpora import KINDS, write_input
from tests.fuzz.driver import repeat, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="may be repeated")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--most", type=int, help="number of inputs after which to end")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write what was found")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="plans of inputs that went wrong")
    parser.add_argument("--repro", type=Path, metavar="FILE", help="try one kept plan again")
    parser.add_argument("--files", type=Path, metavar="DIR", help="with --repro: only write them")
    options = parser.parse_args()
    if options.repro:
        return _repeat(options.repro, options.files)
    campaign = run(
        seed=options.seed,
        seconds=options.seconds,
        kinds=options.kind,
        n_workers=options.workers,
        most=options.most,
        keep=options.keep,
    )
    found = campaign.as_dict()
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    for kind, of_kind in found["kinds"].items():
        outcomes = ", ".join(f"{n} {name}" for name, n in sorted(of_kind["outcomes"].items()))
        slow, peak = of_kind["slowest_seconds"], of_kind["peak_bytes"] / 2**20
        _say(f"{kind:13} {of_kind['n_inputs']:6} inputs: {outcomes}; {slow:.1f} s, {peak:.0f} MB")
    _say(f"{found['n_inputs']} inputs, seed {options.seed}: {len(found['bad'])} went wrong")
    return 1 if found["bad"] else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _repeat(file: Path, folder: Path | None) -> int:
    content = json.loads(file.read_text())
    plan = content.get("plan", content)
    if folder is not None:
        folder.mkdir(parents=True)
        _say(" ".join(["hexrecruit", *write_input(folder, plan)]))
        return 0
    answer = repeat(plan)
    _say(f"{answer['outcome']} {answer['seconds']} s")
    _say("\n".join([*answer["faults"], answer["stderr"]]))
    return 0 if answer["outcome"] in ("done", "problems", "refused") else 1


if __name__ == "__main__":
    sys.exit(main())
