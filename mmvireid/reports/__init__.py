from .page import MAX_BYTES, plotly_script, write_page
from .run import Run, read_run

__all__ = ['MAX_BYTES', 'Run', 'plotly_script', 'read_run', 'write_page']
