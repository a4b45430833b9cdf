"""MkDocs hook: the pages that are made from the code each time the site is built.

The command line's page comes from the commands, the settings' from `RunConfig`, the API's from
`housemates.__all__` and the docstrings, so none of them can be out of date.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from api_page import api_page
from cli_page import cli_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from settings_page import settings_page

PAGES = {"reference/cli.md": cli_page, "reference/settings.md": settings_page, "reference/api.md": api_page}
FOLDERS = ("actors", "env", "orchestrator")

_staged = tempfile.TemporaryDirectory(prefix="housemates-docs-")


@event_priority(100)  # before mkdocstrings reads its settings
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Show the API reader the packages under the names they are imported by; their folders lie elsewhere."""
    root = Path(config.config_file_path).parent
    package = Path(_staged.name) / "housemates"
    if not package.exists():
        package.mkdir()
        for file in (root / "housemates").iterdir():
            (package / file.name).symlink_to(file)
        for folder in FOLDERS:
            (package / folder).symlink_to(root / folder, target_is_directory=True)
    handler: dict[str, Any] = config.plugins["mkdocstrings"].config.handlers["python"]
    handler["paths"] = [_staged.name]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for uri, page in PAGES.items():
        files.append(File.generated(config, uri, content=page()))
    return files
