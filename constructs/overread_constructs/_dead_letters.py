"""Queues for what could not be handled: encrypted, TLS only, kept for fourteen days."""

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from overread_constructs.acknowledgements import acknowledge


def dead_letter_queue(scope: Construct, id: str, *, key: kms.IKey | None) -> sqs.Queue:
    """A queue encrypted with `key`, or with SQS's own key where no personal data can reach it."""
    queue = sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    acknowledge(
        queue,
        rule="SQS3",
        reason="This is a dead-letter queue: it has no consumer that could fail; messages stay 14 days.",
    )
    if key is None:
        acknowledge(
            queue,
            rule="QueueKey",
            reason="SQS encrypts it with its own key; no personal data can reach it, names only.",
        )
    return queue


def sendable(queue: sqs.Queue) -> sqs.IQueue:
    """The queue for a role that may use its key already: granting it here would add `kms:ReEncrypt*`."""
    return sqs.Queue.from_queue_arn(queue, "Sendable", queue.queue_arn)
