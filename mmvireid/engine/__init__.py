"""Hooks, optimiser wrappers and the set-up of a run."""
