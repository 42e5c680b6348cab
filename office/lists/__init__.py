"""Lists: what they are narrowed by, how far they are walked, and how they are taken away as files."""

from office.lists.changelists import BoundedList, WalkedList
from office.lists.exports import BOM, Columns, export_list, read_all, write_csv
from office.lists.forms import ListForm, NarrowingForm

__all__ = [
    "BOM",
    "BoundedList",
    "Columns",
    "ListForm",
    "NarrowingForm",
    "WalkedList",
    "export_list",
    "read_all",
    "write_csv",
]
