"""The three example models: their data, their training, and their packing for SageMaker."""
