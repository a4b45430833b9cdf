"""The journal of a run, the only thing that resume, replay, reports and the viewer read."""
