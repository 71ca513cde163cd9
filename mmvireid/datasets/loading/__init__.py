"""From rows to batches in the loader's processes; no data set's author needs it."""
