"""Rules over every enterprise at once: bins, bit masks, numpy and numba kernels. See README.md."""
