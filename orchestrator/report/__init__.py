"""Reports on runs and studies: tables, figures with confidence intervals, and pages to read."""
