"""Minds: agents with trainable plans, the models they ask, and the Ray actors that hold them."""
