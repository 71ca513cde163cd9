"""From files to rows and pictures; what the author of a data set calls."""
