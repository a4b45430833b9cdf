"""Where instructions for working together stand in a prompt."""

from __future__ import annotations

ORGANIZATION = "Organization instructions:"


def organized(text: str, organization: str) -> str:
    """The text with the organization's line above the goal, where Guo et al. (2024) have it, else on top."""
    if not organization:
        return text
    line = f"{ORGANIZATION} {' '.join(organization.split())}\n"
    at = text.find("\nGoal:") + 1
    return text[:at] + line + text[at:]
