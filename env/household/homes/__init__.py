"""Homes: the shipped apartments, generated ones, buildings, and homes read from files."""

from __future__ import annotations

from .home import Flat, Home, build_home

__all__ = ["Flat", "Home", "build_home"]
