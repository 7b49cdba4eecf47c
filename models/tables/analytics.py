"""Images counted by day once they are final, so that no question about months reads images; and
sums over what only grows."""

from datetime import date

from sqlalchemy import BigInteger, Computed, Date, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.database import Base

UNSUMMED = text("unsummed != 0")


class DailyCount(Base):
    """An instance's images that became final on a day (UTC), and the credits that they cost. Of the
    images, those that are `summed` stand in the totals already; how many do not is a column, for
    PostgreSQL to know of how few days that is."""

    __tablename__ = "daily_counts"
    __table_args__ = (
        Index("ix_daily_counts_unsummed", "instance_id", "day", postgresql_where=UNSUMMED,
              sqlite_where=UNSUMMED),
    )  # fmt: skip

    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    done: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    failed: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    canceled: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    reused: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    credits: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    summed_done: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    summed_failed: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    summed_canceled: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    unsummed: Mapped[int] = mapped_column(
        Integer,
        Computed(
            "done + failed + canceled - summed_done - summed_failed - summed_canceled",
            persisted=True,
        ),
    )


class Total(Base):
    """A sum as far as it was made (`models.totals`): of the images that ended with the status that
    it is named after, or of the credits charged by entries up to the id `up_to`."""

    __tablename__ = "totals"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
    up_to: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))


class DailyDuration(Base):
    """How many DONE images took how long from the order to the result, by classes of seconds."""

    __tablename__ = "daily_durations"

    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    bucket: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    images: Mapped[int] = mapped_column(Integer)


class DailyError(Base):
    """How many images failed with which code."""

    __tablename__ = "daily_errors"

    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    error_code: Mapped[str] = mapped_column(String(50), primary_key=True)
    images: Mapped[int] = mapped_column(Integer)


class MonthlyPrompt(Base):
    """How many images of a month (its first day, UTC) had which prompt."""

    __tablename__ = "monthly_prompts"
    __table_args__ = (Index("ix_monthly_prompts_top", "instance_id", "month", "images"),)

    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    prompt_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    prompt: Mapped[str] = mapped_column(Text)
    images: Mapped[int] = mapped_column(Integer)
