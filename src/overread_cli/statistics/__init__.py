"""`overread consensus`, `overread threshold` and `overread agreement`: the statistics on files.

Files are read in `tables`, `manifests` and `inputs`, figures drawn in `plots`, pages built in `page` and the
modules named `…_page`. The commands themselves are in `consensus`, `threshold` and `agreement`; they import
numpy, pyarrow and matplotlib only where they need them.
"""
