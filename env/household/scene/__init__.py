"""The scene: a graph of what there is, where it is and in what state, and the files it is read from."""
