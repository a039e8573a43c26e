"""What the proposing of labels is asked to do."""

import dataclasses
import os
import pathlib

from labelling.sheet import MOST_SHOWN


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProposeConfig:
    """Which pictures to label, with what, and where the list goes.

    Raises:
      ValueError: If there is no folder, the list cannot be written there, or a number is out of
        range.
    """

    folder: str  # Of picture files, also in folders below.
    saved_model: str
    out: str | None = None  # None: FOLDER_labels.csv beside the folder.
    num_shown: int = 100  # On the contact sheet.
    overwrite: bool = False

    def __post_init__(self):
        if not os.path.isdir(self.folder):
            received = "a file" if os.path.lexists(self.folder) else "which does not exist"
            raise ValueError(
                f"labels are proposed for a folder of pictures, received '{self.folder}', "
                f"{received}. Single files are read by: python predict.py FILE..."
            )
        if not 1 <= self.num_shown <= MOST_SHOWN:
            raise ValueError(
                f"`--n` must be in [1, {MOST_SHOWN}], received {self.num_shown}. It is how many "
                "pictures the contact sheet has; the list has all."
            )
        if self.csv_path.suffix.lower() != ".csv":
            raise ValueError(f"`--out` must be a .csv, received '{self.csv_path}'. Name it so.")
        if self.csv_path.parent.resolve().is_relative_to(pathlib.Path(self.folder).resolve()):
            raise ValueError(
                f"`--out` must lie outside of '{self.folder}', received '{self.csv_path}': the "
                "contact sheet beside it would be taken for one of the pictures. Choose another."
            )
        for path in (self.csv_path, self.sheet_path):
            if os.path.lexists(path) and not self.overwrite:
                raise ValueError(
                    f"'{path}' must not exist yet, received one: corrections in it would be lost. "
                    "Choose another --out, or replace it with --overwrite."
                )

    @property
    def csv_path(self) -> pathlib.Path:
        """The list."""
        if self.out is not None:
            return pathlib.Path(self.out)
        folder = pathlib.Path(os.path.abspath(self.folder))  # "." has no name of its own.
        beside = folder.with_name(f"{folder.name}_labels.csv")
        return pathlib.Path(os.path.relpath(beside))

    @property
    def sheet_path(self) -> pathlib.Path:
        """The contact sheet."""
        return self.csv_path.with_suffix(".png")
