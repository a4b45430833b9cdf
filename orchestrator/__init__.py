"""Runs the show: the barrier, episodes, the journal, the command line."""
