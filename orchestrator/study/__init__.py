"""Studies: many episodes that differ in their settings."""
