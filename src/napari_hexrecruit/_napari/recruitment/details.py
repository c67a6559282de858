"""What was found in a simulation's files, as the widget tells it. Knows nothing of napari or Qt."""

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
"""Unlike each other in shape: colours alone do not tell them apart for everybody."""


@dataclass(frozen=True)
class Inks:
    """Colours of text: of each status, and of what matters less."""

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
    """Everything there is to say, errors first.

    Parameters
    ----------
    findings
        Of the files.
    notes
        What was assumed for the hexagons that are shown; left out where a finding says it.
    error
        Why loading has failed, left out likewise.
    warnings
        Those of the notes that say what may not be meant.

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
    """Number of each status: ``1 error, 2 assumptions``; OK only where there is nothing else."""
    n_each = Counter(finding.status for finding in findings)
    said: list[Status] = [status for status in _ORDER[:-1] if n_each[status]]
    return ", ".join(number_of(n_each[status], status) for status in said or _ORDER[-1:])


def as_text(findings: Sequence[Finding]) -> str:
    """All of it as ``hexrecruit check`` prints it, with full paths."""
    return "\n".join(finding_lines(list(findings))).strip()


def as_html(findings: Iterable[Finding], folder: Path | None, inks: Inks) -> str:
    """A paragraph for each finding.

    Parameters
    ----------
    findings
        In the order in which they are shown.
    folder
        Folder of the simulation, which is named once and left out of paths; None: nothing is.
    inks
        Colours.
    """
    inside = "" if folder is None else str(folder / "_")[:-1]
    heading = f'<p style="margin:0 0 5px 0; color:{inks.dim}">In {escape(inside)}</p>'
    paragraphs = [_paragraph(finding, inside, inks) for finding in findings]
    return "".join([heading, *paragraphs] if inside else paragraphs)


def _says(finding: Finding, sentence: str) -> bool:
    """Whether a sentence is what a finding says, whatever it calls the file."""
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
