"""The few words in which the two databases' SQL differs; everything else is the same text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """SQL for moments and JSON, in one database's own words."""

    postgresql: bool

    def after(self, moment: str, seconds: str) -> str:
        """So many seconds after a moment."""
        if self.postgresql:
            return f"({moment} + make_interval(secs => {seconds}))"
        return f"strftime('%Y-%m-%d %H:%M:%f000', {moment}, ({seconds}) || ' seconds')"

    def from_now(self, seconds: int) -> str:
        """So many seconds from the parameter `now`."""
        moment = "CAST(:now AS timestamptz)" if self.postgresql else ":now"
        return self.after(moment, f"{seconds}")

    def month(self, moment: str) -> str:
        """The first day of the month."""
        if self.postgresql:
            return f"CAST(date_trunc('month', {moment}) AS date)"
        return f"strftime('%Y-%m-01', {moment})"

    def json(self, text: str) -> str:
        """A text as JSON."""
        return f"CAST({text} AS json)" if self.postgresql else text
