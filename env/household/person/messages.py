"""What people in a household say to each other, and remember of it."""

from __future__ import annotations

from collections.abc import Mapping

from ...world import EVERYONE, Message
from .body import Body


def agent_name(number: int) -> str:
    """The name of the agent with this number."""
    return f"Agent_{number}"


def deliver(message: Message, members: Mapping[str, int], bodies: Mapping[int, Body]) -> None:
    """Add a message to the dialogue of its sender and of all who receive it."""
    sender = bodies[members[message.sender]]
    sender.remember(f"[send_message] <{message.receiver}> ({members.get(message.receiver, 0)})")
    sender.hear(f"You send_message to {message.receiver}: {message.text}", received=False)
    if message.receiver == EVERYONE:
        line = f"{message.sender} send_message to {EVERYONE}: {message.text}"
        receivers = [number for number in members.values() if number != sender.number]
    else:
        line = f"{message.sender} send_message to You: {message.text}"
        receivers = [members[message.receiver]]
    for number in receivers:
        bodies[number].hear(line, received=True)
