"""The review service: human review with A2I's own contract, for accounts that A2I refuses and for laptops."""
