"""One person's side: what it sees, remembers, can do, reads and says."""
