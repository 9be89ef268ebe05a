"""The AWS façade: boto3's calls for task UIs, flow definitions, work teams, workforces and human loops."""
