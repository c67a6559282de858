"""Write the golden pictures again, as ``make golden`` does; look at them before committing."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.golden_pictures import FOLDER, PICTURES

from napari_hexrecruit.render.png import png_bytes


def main() -> None:
    for name, picture in PICTURES.items():
        (FOLDER / f"{name}.png").write_bytes(png_bytes(picture.draw(), level=9))


if __name__ == "__main__":
    main()
