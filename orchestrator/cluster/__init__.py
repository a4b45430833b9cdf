"""Ray, and what lives in it: started or joined, its machines, the processes of agents and worlds."""
