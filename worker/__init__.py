"""RQ jobs: one operation becomes one playbook run; events, leases, the sweeper."""
