"""Language models: the client, the embedded model, and the scripted one."""
