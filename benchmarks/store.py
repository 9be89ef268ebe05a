"""The store of decisions: a transaction held against the floor, one conditional write of the same record.

Both go to the same emulator in turns, in one run, through the same client. The emulator judges a transaction
in one process: the ratio tells what ours carries, not what DynamoDB's two phases cost.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Measurement, cpu_ms_each, median, percentile

from overread.decisions.commit import commit_change
from overread.decisions.ports import Batch
from overread.decisions.record import Change, Record, State
from overread_aws import decision_items as items
from overread_aws.attribute_values import attribute_values
from overread_aws.decision_table import table_definition
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_testing.aws_emulator import running_emulator
from overread_testing.stored_records import batch_of, creation, make_record, step

TABLE = "bench"
ROUNDS, WARM_UP = 400, 40


def run() -> list[Measurement]:
    """Latency of a transaction of five items, and of a whole audited commit, beside one conditional put."""
    with tempfile.TemporaryDirectory() as folder, running_emulator(Path(folder)) as emulator:
        client = emulator.client("dynamodb")
        client.create_table(**table_definition(TABLE))
        records = DynamoDbRecords(client, table=TABLE)
        puts, transactions, commits = _latencies(client, records)
        cpu = _cpu(client, records)
    floor = median(puts)
    return [
        Measurement.against(
            "store: transaction of 5 items, median", value=median(transactions), unit="ms", baseline=floor
        ),
        Measurement.against(
            "store: transaction of 5 items, p99",
            value=percentile(transactions, 0.99),
            unit="ms",
            baseline=percentile(puts, 0.99),
        ),
        Measurement.against(
            "store: guard and transaction, median", value=median(commits), unit="ms", baseline=floor
        ),
        cpu,
    ]


def _latencies(client: Any, records: DynamoDbRecords) -> tuple[list[float], list[float], list[float]]:
    puts: list[float] = []
    transactions: list[float] = []
    commits: list[float] = []
    for number in range(ROUNDS + WARM_UP):
        plain = _put_request(make_record(f"d-{number}-put"))
        puts.append(_ms(partial(client.put_item, **plain)))
        batch = batch_of(_final(_created(f"d-{number}-batch", records)), records=records)
        transactions.append(_ms(partial(records.commit, batch)))
        change = _final(_created(f"d-{number}-change", records))
        commits.append(_ms(partial(commit_change, change, records=records)))
    return puts[WARM_UP:], transactions[WARM_UP:], commits[WARM_UP:]


def _cpu(client: Any, records: DynamoDbRecords) -> Measurement:
    """CPU time of the caller: what the Lambda pays, whatever the network and the service take."""
    numbers = iter(range(10**6))

    def put() -> None:
        client.put_item(**_put_request(make_record(f"d-{next(numbers)}-cpu")))

    changes = [_final(_created(f"d-{number}-cpu-change", records)) for number in range(ROUNDS + 50)]
    waiting = iter(changes)

    def commit() -> None:
        commit_change(next(waiting), records=records)

    value = median(cpu_ms_each(commit, runs=ROUNDS))
    return Measurement.against(
        "store: guard and transaction, CPU, median",
        value=value,
        unit="ms",
        baseline=median(cpu_ms_each(put, runs=ROUNDS)),
    )


def _created(decision_id: str, records: DynamoDbRecords) -> Record:
    record = make_record(decision_id)
    records.commit(Batch(change=creation(record), links=(), guard=None))
    return record


def _final(record: Record) -> Change:
    """Record, end of the chain, audit entry, human loop, news: five items."""
    return step(record, state=State.FINAL, due_at=None)


def _put_request(record: Record) -> dict[str, Any]:
    key = items.record_key(record.decision_id)
    item = {"pk": key[0], "sk": key[1], **items.indexed_record(record, writer="bench")}
    return {
        "TableName": TABLE,
        "Item": attribute_values(item),
        "ConditionExpression": "attribute_not_exists(pk)",
    }


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
