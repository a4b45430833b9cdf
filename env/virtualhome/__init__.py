"""VirtualHome's wire protocol: our engine behind it, and other simulators behind our engine's interface."""
