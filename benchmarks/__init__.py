"""One module per figure that the README quotes: python -m benchmarks.NAME."""
