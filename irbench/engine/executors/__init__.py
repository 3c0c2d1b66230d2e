"""What runs jobs in other processes: on this machine, or on a cluster."""
