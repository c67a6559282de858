"""Plan of a campaign: its cubes, and which of them exist already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from napari_hexrecruit.campaign._manifest import (
    CUBES,
    DONE,
    WAITING,
    Entry,
    Manifest,
    Piece,
    cube_file,
    names_for,
    recipe_hash,
)
from napari_hexrecruit.campaign._task import (
    sentence_of,
)
from napari_hexrecruit.campaign._windows import split_bins, whole_bins

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.campaign._sources import Campaign
    from napari_hexrecruit.errors import Words
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.recipe import CubeRecipe


def prepared(
    folder: Path, recipe: CubeRecipe, split_ms: float | None, *, overwrite: bool
) -> Manifest | None:
    """Return the state of the campaign in the folder, which is created if missing."""
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder}: is a file: give the name of a folder")
    before = Manifest.read(folder)
    if (
        before is None
        and folder.is_dir()
        and any(not n.startswith(".") for n in os.listdir(folder))
    ):
        raise FileExistsError(f"{folder}: holds other things than a campaign: give a new folder")
    if before is not None and not overwrite:
        now = {**recipe.entries(), "split_ms": split_ms}
        then = {**before.recipe.entries(), "split_ms": before.split_ms}
        other = [name for name in now | then if now.get(name) != then.get(name)]
        if other:
            told = "; ".join(f"{n} is {then.get(n)!r}, not {now.get(n)!r}" for n in other)
            raise ValueError(
                f"{folder}: holds a campaign with other options ({told}):"
                " give another folder, or allow overwriting"
            )
    (folder / CUBES).mkdir(parents=True, exist_ok=True)
    return before


def planned(
    campaign: Campaign,
    before: Manifest | None,
    recipe: CubeRecipe,
    split_ms: float | None,
    words: Words,
) -> Manifest:
    """Return the manifest of the campaign's cubes, with the known states of existing ones."""
    known = {e.path: e for e in before.entries if e.path is not None} if before else {}
    paths = [member.path for member in campaign.members if member.path is not None]
    names = names_for(paths, {path: entry.name for path, entry in known.items()})
    name_of = dict(zip(paths, names, strict=True))
    entries, n_absent = [], 0
    for member in campaign.members:
        if member.path is None:
            n_absent += 1
            entries.append(Entry(f"absent-{n_absent}", None, dict(member.parameters)))
            continue
        path = str(member.path)
        entry = Entry(name_of[member.path], path, dict(member.parameters))
        _plan_pieces(entry, member.path, recipe, split_ms, words)
        pieces = {(p.file, p.start, p.stop): p for p in known[path].pieces} if path in known else {}
        entry.pieces = [pieces.get((p.file, p.start, p.stop), p) for p in entry.pieces]
        entry.judgement = known[path].judgement if path in known else None
        entries.append(entry)
    collected = before.collected if before else ""
    return Manifest(recipe, split_ms, entries, list(campaign.notes), collected)


def _plan_pieces(
    entry: Entry, path: Path, recipe: CubeRecipe, split_ms: float | None, words: Words
) -> None:
    from napari_hexrecruit.sonata import open_simulation

    if split_ms is None:
        entry.pieces = [Piece(cube_file(entry.name))]
        return
    try:
        duration = open_simulation(path).duration_ms
        bins, entry.dropped_ms = whole_bins(duration, recipe.start, recipe.stop, recipe.bin_ms)
    except (ValueError, OSError) as error:
        entry.error = sentence_of(error, str(path), words)
        return
    windows = split_bins(bins, split_ms)
    entry.pieces = [Piece(cube_file(entry.name, k), *w) for k, w in enumerate(windows)]


def verified(
    manifest: Manifest, folder: Path, progress: Progress | None, *, overwrite: bool
) -> int:
    """Set cubes that must be computed to waiting; return the number of finished simulations."""
    for number, entry in enumerate(manifest.entries):
        for piece in entry.pieces:
            made = recipe_hash(str(entry.path), manifest.recipe, piece)
            if overwrite or not piece.is_kept(folder, made):
                piece.state, piece.error = WAITING, ""
        if progress is not None:
            progress("verifying cubes", number + 1, len(manifest.entries))
    return sum(entry.state == DONE for entry in manifest.entries)
