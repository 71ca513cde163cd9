from .page import MAX_BYTES, plotly_script, write_page
from .run import Run, names_of, read_run

__all__ = ['MAX_BYTES', 'Run', 'names_of', 'plotly_script', 'read_run', 'write_page']
