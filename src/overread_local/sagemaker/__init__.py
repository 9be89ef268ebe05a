"""A local SageMaker: models, endpoints, domains and tags, on the wire as AWS answers."""
