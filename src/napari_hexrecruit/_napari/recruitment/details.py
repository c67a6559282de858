"""Findings in a simulation's files, as the widget shows them. Knows neither napari nor Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from napari_hexrecruit._napari.widgets.words import in_panel
from napari_hexrecruit.errors import worded
from napari_hexrecruit.pipeline.findings import Finding, Status, finding_lines, number_of

_ORDER: tuple[Status, ...] = ("error", "warning", "assumption", "OK")
_SYMBOLS: dict[Status, str] = {
    "error": "\N{MULTIPLICATION X}",
    "warning": "\N{BLACK UP-POINTING TRIANGLE}",
    "assumption": "\N{BLACK DIAMOND}",
    "OK": "\N{CHECK MARK}",
}
"""Different shapes, because not all users can distinguish them by colour."""


@dataclass(frozen=True)
class Inks:
    """Text colours: one for each status, and one for less important text."""

    error: str
    warning: str
    assumption: str
    ok: str
    dim: str


DARK = Inks(error="#ff8f80", warning="#ffab5e", assumption="#f2c14e", ok="#7fc8a9", dim="#a8acb3")
LIGHT = Inks(error="#b3261e", warning="#9a4200", assumption="#7a5200", ok="#1b6e4a", dim="#5c5f66")


def gathered(
    findings: Iterable[Finding],
    notes: Iterable[str] = (),
    error: str | None = None,
    warnings: Iterable[str] = (),
) -> list[Finding]:
    """Return all findings, errors first.

    Parameters
    ----------
    findings
        Findings in the files.
    notes
        Assumptions behind the shown hexagons; left out if a finding states the same.
    error
        Why loading failed; also left out if a finding states it.
    warnings
        The subset of the notes that report doubtful input.

    Returns
    -------
    list of Finding

    Examples
    --------
    >>> files = [Finding("OK", "a.h5", "3 spikes"), Finding("assumption", "a.h5", "ms is assumed")]
    >>> [finding.found for finding in gathered(files, ["a.h5: ms is assumed"], "no such column")]
    ['no such column', 'ms is assumed', '3 spikes']
    """
    files, doubts = list(findings), set(warnings)
    own = [] if error is None or any(_says(f, error) for f in files) else [error]
    noted = [note for note in dict.fromkeys(notes) if not any(_says(f, note) for f in files)]
    everything = [
        *(Finding("error", "", sentence) for sentence in own),
        *(Finding("warning" if s in doubts else "assumption", "", s) for s in noted),
        *files,
    ]
    return sorted(everything, key=lambda finding: _ORDER.index(finding.status))


def counted(findings: Iterable[Finding]) -> str:
    """Return the number of each status, ``1 error, 2 assumptions``; OK only without any other."""
    n_each = Counter(finding.status for finding in findings)
    said: list[Status] = [status for status in _ORDER[:-1] if n_each[status]]
    return ", ".join(number_of(n_each[status], status) for status in said or _ORDER[-1:])


def as_text(findings: Sequence[Finding]) -> str:
    """Return the findings as ``hexrecruit check`` prints them, with full paths."""
    return "\n".join(finding_lines(list(findings))).strip()


def as_html(findings: Iterable[Finding], folder: Path | None, inks: Inks) -> str:
    """Return the findings as HTML, one paragraph each.

    Parameters
    ----------
    findings
        Findings in display order.
    folder
        Folder of the simulation, named once at the top and left out of paths; None: keep full
        paths.
    inks
        Text colours.
    """
    inside = "" if folder is None else str(folder / "_")[:-1]
    heading = f'<p style="margin:0 0 5px 0; color:{inks.dim}">In {escape(inside)}</p>'
    paragraphs = [_paragraph(finding, inside, inks) for finding in findings]
    return "".join([heading, *paragraphs] if inside else paragraphs)


def _says(finding: Finding, sentence: str) -> bool:
    """Return whether a sentence states the same as a finding, whatever it calls the file."""
    texts = (worded(text, in_panel) for text in (finding.found, finding.remedy))
    return sentence.endswith(": ".join(filter(None, texts)))


def _paragraph(finding: Finding, folder: str, inks: Inks) -> str:
    ink = getattr(inks, finding.status.lower())
    status = f"{_SYMBOLS[finding.status]}&nbsp;{finding.status}"
    where = f'<span style="color:{inks.dim}">{_plain(finding.where, folder)}:</span> '
    found = _plain(worded(finding.found, in_panel), folder)
    remedy = f"<br>\N{RIGHTWARDS ARROW}&nbsp;{_plain(worded(finding.remedy, in_panel), folder)}"
    return (
        f'<p style="margin:0 0 5px 0"><span style="color:{ink}; font-weight:bold">{status}</span> '
        f"{where if finding.where else ''}{found}{remedy if finding.remedy else ''}</p>"
    )


def _plain(text: str, folder: str) -> str:
    short = text.replace(folder, "") if folder else text
    return escape(short, quote=False)
