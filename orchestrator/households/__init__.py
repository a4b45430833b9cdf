"""Many households in one run: each with its own world, barrier, seed and journal, none waiting for another."""
