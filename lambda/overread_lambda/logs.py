"""One JSON line an event on standard output: constant message, data in fields, nothing personal."""

import json
import logging
import sys
from datetime import UTC, datetime

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class _JsonLines(logging.Handler):
    """Writes each record as one line of JSON; what `extra` carries become fields."""

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: value for name, value in vars(record).items() if name not in _OWN}
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **fields,
        }
        sys.stdout.write(json.dumps(line, default=str) + "\n")


def make_logger() -> logging.Logger:
    """The one logger of the functions; the adapters' loggers are its children."""
    logger = logging.getLogger("overread")
    if not logger.handlers:
        logger.addHandler(_JsonLines())
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger


log = make_logger()
