"""What analysts get of decisions, reviews and labels: rows without case content, people under pseudonyms."""

from overread.analytics.columns import TABLES, Column, Kind, Table
from overread.analytics.decision_rows import Rows, rows_of_link
from overread.analytics.export import ExportPorts, Progress, export_decisions, without_gap
from overread.analytics.label_rows import label_rows
from overread.analytics.pseudonyms import Pseudonyms

__all__ = [
    "TABLES",
    "Column",
    "ExportPorts",
    "Kind",
    "Progress",
    "Pseudonyms",
    "Rows",
    "Table",
    "export_decisions",
    "label_rows",
    "rows_of_link",
    "without_gap",
]
