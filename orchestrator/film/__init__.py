"""Films of a household run, made afterwards from its journal alone."""

from __future__ import annotations
