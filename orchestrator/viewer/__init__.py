"""The viewer: a page, served on loopback, that shows recorded and running episodes, and studies."""
