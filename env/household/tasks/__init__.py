"""What is to be done: goals, the families of tasks, and setting a home up for one."""
