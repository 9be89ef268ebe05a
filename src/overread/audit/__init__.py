"""The audit log: one hash chain a shard, its proof, and what auditors ask of it."""
