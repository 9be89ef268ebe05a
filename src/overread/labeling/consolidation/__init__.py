"""One label out of the answers to one object: a task family a file, statistics from `overread.consensus`."""
