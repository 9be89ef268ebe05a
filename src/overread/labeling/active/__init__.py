"""Active learning: people label what teaches most, the model what a guarantee allows."""
