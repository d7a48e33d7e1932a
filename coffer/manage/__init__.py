"""`coffer-manage`: what an administrator does on the control plane's own host."""
