"""Commands of the command line that stand by themselves; those about runs are where runs are."""
