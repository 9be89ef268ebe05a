"""`overread template`: lint, render, preview, compare and test worker templates."""
