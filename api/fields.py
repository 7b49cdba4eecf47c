"""The kinds of values that go in and out."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flask import g
from marshmallow import ValidationError, fields, validate

from api import current
from api.preview_tokens import preview_url
from api.scaling import WIDTHS
from models import uploads
from models.tables import Status
from tasks.image_urls import LONGEST, PATTERN, fault_of

# NUL is refused by the parser; the patterns are for readers of the OpenAPI document.
ANY_TEXT = r"^[^\x00]*$"
NO_UPLOAD = "There is no such upload of yours."
NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"


class Text(fields.String):
    """1 to `longest` characters, kept as they were sent."""

    def __init__(self, longest: int, pattern: str = ANY_TEXT, **options: Any) -> None:
        length = validate.Length(min=1, max=longest)
        super().__init__(
            validate=[length, *options.pop("validate", [])],
            metadata={"pattern": pattern, **options.pop("metadata", {})},
            **options,
        )


class Prompt(Text):
    """Text that says something."""

    def __init__(self, longest: int, **options: Any) -> None:
        super().__init__(longest, NOT_BLANK, validate=[_not_blank], **options)


class ImageUrl(Text):
    """An http or https address without a user's name or password in it, and not of a private
    network unless a setting allows that. Any port will do: what is private is told by the host.

    Or the address of an upload of the instance's own, which is kept without our own host."""

    def __init__(self, **options: Any) -> None:
        pattern = f"{PATTERN}|^{uploads.PATH}{uploads.KEY}$"
        super().__init__(LONGEST, pattern, validate=[_image_url], **options)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        path = own_path(text)
        return path if uploads.key_of(path) else text


def own_path(url: str) -> str:
    """An address without our own host, if it has that."""
    return url.removeprefix(current.settings().public_base_url)


class Few(fields.List[Any]):
    """`least` to `most` elements; a list that is too long is refused before they are read."""

    def __init__(self, inner: fields.Field[Any], most: int, least: int = 1, **options: Any) -> None:
        super().__init__(inner, validate=validate.Length(min=least, max=most), **options)
        self.most = most

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> list[Any]:
        if isinstance(value, list) and len(value) > self.most:
            raise ValidationError(f"Must hold at most {self.most}, and holds {len(value)}.")
        return super()._deserialize(value, attr, data, **kwargs)


class Flag(fields.Boolean):
    """true or false, and nothing that means them."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class Digits(fields.Integer):
    """A whole number in a query: plain digits, without sign, space, underscore or leading zero."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if not re.fullmatch(r"[1-9][0-9]{0,17}", value):
            raise ValidationError("Must be a whole number in digits.")
        return super()._deserialize(value, attr, data, **kwargs)


class Width(Digits):
    """How wide a scaled picture is to be, in pixels."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.OneOf(WIDTHS), **options)


class StatusList(fields.String):
    """Known statuses of a kind with commas between them."""

    def __init__(self, kind: type[StrEnum] = Status, **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Any:
        names = value.split(",")
        if not set(names) <= set(self.kind):
            known = ", ".join(self.kind)
            raise ValidationError(f"Must be some of {known} with commas between them.")
        return tuple(self.kind(name) for name in dict.fromkeys(names))


class Moment(fields.DateTime):
    """RFC 3339 in UTC, to the millisecond."""

    def _serialize(self, value: datetime | None, *_args: Any, **_kwargs: Any) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ResultUrl(fields.String):
    """The address of a result, from its key."""

    def _serialize(self, value: str | None, *_args: Any, **_kwargs: Any) -> str | None:
        return value and current.url(f"/results/{value}")


class UploadUrl(fields.String):
    """The address of an upload, from its key."""

    def _serialize(self, value: str | None, *_args: Any, **_kwargs: Any) -> str | None:
        return value and current.url(uploads.PATH + value)


class SourceUrl(fields.String):
    """The address of a shop's image: as it was ordered, or that of an upload."""

    def _serialize(self, value: str | None, *_args: Any, **_kwargs: Any) -> str | None:
        return current.url(value) if value and uploads.key_of(value) else value


class PreviewUrl(fields.String):
    """The address at which this service shows a shop's image scaled down, from the image's own;
    an upload's is its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(dump_only=True, **options)

    def _serialize(self, value: str | None, *_args: Any, **_kwargs: Any) -> str | None:
        if value and uploads.key_of(value):
            return current.url(value)
        return value and preview_url(value)


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ValidationError("Must not be blank.")


def _image_url(text: str) -> None:
    """Whether there is no such upload, or it is another's, is not told."""
    if key := uploads.key_of(text):
        # A batch has looked all of its uploads up together.
        if key not in g.get("own_uploads", ()) and not uploads.may_use(current.instance(), key):
            raise ValidationError(NO_UPLOAD)
        return
    fault = fault_of(text, current.settings().allow_private_image_urls)
    if fault:
        raise ValidationError(fault)
