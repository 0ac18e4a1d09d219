"""openbitbox: imitation quality from two ordinary videos.

The package is imported as ``bitbox``. It is an independent implementation of the documented
usage of Bitbox and contains none of its code.
"""

__version__ = "0.1.0"
