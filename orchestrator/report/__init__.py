"""Reports on runs and studies: tables, figures with confidence intervals, and pages to read."""

from __future__ import annotations

from .rows import Results, read_results
from .writing import write_report

__all__ = ["Results", "read_results", "write_report"]
