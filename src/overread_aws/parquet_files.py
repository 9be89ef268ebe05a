"""Rows as Parquet files in S3, partitioned by day as Glue and Athena read them. Needs pyarrow."""

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from overread.analytics import Kind, Table
from overread_aws.failures import calling

_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.FLAG: pa.bool_(),
    Kind.COUNT: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.TIME: pa.timestamp("ms", tz="UTC"),
}


def parquet(table: Table, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as one Parquet file; the same bytes for the same rows.

    Raises:
        pyarrow.ArrowException: a value is not of its column's kind.
    """
    schema = pa.schema([(column.name, _TYPES[column.kind]) for column in table.columns])
    columns = [pa.array([row[column.name] for row in rows], _TYPES[column.kind]) for column in table.columns]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), out, compression="snappy")
    return out.getvalue()


class ParquetFiles:
    """`{prefix}{table}/dt=YYYY-MM-DD/{name}.parquet`; the same name is the same file."""

    def __init__(self, client: Any, *, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def write(self, table: Table, day: date, name: str, rows: list[Mapping[str, Any]]) -> None:
        """Puts the file, replacing one of that name."""
        key = f"{self._prefix}{table.name}/dt={day.isoformat()}/{name}.parquet"
        body = parquet(table, rows)
        with calling("PutObject"):
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType="application/vnd.apache.parquet"
            )
