"""The engine: what each action does to the scene, for everybody at once."""
