"""What a deployment will ask for before it starts: people's hours, reviewers, money."""
