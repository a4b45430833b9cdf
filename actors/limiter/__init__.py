"""One limiter and one budget for all requests of a run, wherever its agents are."""
