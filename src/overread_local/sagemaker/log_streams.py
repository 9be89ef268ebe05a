"""What programs print, put into CloudWatch Logs while they run."""

import contextlib
from pathlib import Path
from threading import Lock

from overread_local.sagemaker.job_files import JobFiles
from overread_local.sagemaker.records import Clock

_EVENTS_AT_ONCE = 1000  # AWS takes 10,000 events and 1 MiB
_LONGEST = 10_000  # characters of one event


class LogStream:
    """One stream that follows a file; made in CloudWatch with its first line."""

    def __init__(self, files: JobFiles, *, group: str, stream: str, clock: Clock) -> None:
        self._files = files
        self._group = group
        self._stream = stream
        self._clock = clock
        self._lock = Lock()
        self._sent = 0
        self._made = False

    def ship(self, path: Path, *, last: bool = False) -> None:
        """Sends the lines that came since the last time, an unfinished one only when it is the `last`.

        Blocks.

        Raises:
            ClientError: CloudWatch Logs does not take them.
        """
        with self._lock:
            if not path.is_file() or path.stat().st_size <= self._sent:
                return
            with path.open("rb") as source:
                source.seek(self._sent)
                new = source.read()
            end = len(new) if last else new.rfind(b"\n") + 1
            lines = [line for line in new[:end].decode(errors="replace").splitlines() if line.strip()]
            for start in range(0, len(lines), _EVENTS_AT_ONCE):
                self._put(lines[start : start + _EVENTS_AT_ONCE])
            self._sent += end

    def _put(self, lines: list[str]) -> None:
        logs = self._files.client("logs")
        if not self._made:
            taken = logs.exceptions.ResourceAlreadyExistsException
            with contextlib.suppress(taken):
                logs.create_log_group(logGroupName=self._group)
            with contextlib.suppress(taken):
                logs.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
            self._made = True
        now = int(self._clock() * 1000)
        events = [{"timestamp": now, "message": line[:_LONGEST]} for line in lines]
        logs.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=events)
