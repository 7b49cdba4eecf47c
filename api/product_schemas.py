"""The shapes of products, in camelCase."""

from marshmallow import fields, validate

from api.fields import Digits, PreviewUrl, Text
from api.schemas import PREVIEW_URL, Shape


class ProductsQuery(Shape):
    """Which products to list."""

    query = Text(
        100,
        metadata={
            "description": "What the name holds, in upper or lower case; all products by default.",
            "example": "cup",
        },
    )
    limit = Digits(load_default=20, validate=validate.Range(min=1, max=100))
    cursor = fields.String(
        validate=validate.Length(min=1, max=4000),
        metadata={"description": "The `nextCursor` of the page before, of the same `query`."},
    )


class ProductSchema(Shape):
    """A product of the shop."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    price = fields.String(metadata={"description": 'A decimal number like "24.00".'})
    currency = fields.String(metadata={"description": "ISO 4217, with a `price` only."})
    total_images = fields.Integer(required=True, metadata={"minimum": 0})
    preview_url = PreviewUrl(attribute="cover_url", metadata=PREVIEW_URL)


class ProductImageSchema(Shape):
    """One image of a product: what `imageId` and `imageUrl` of an order may be."""

    id = fields.String(required=True)
    url = fields.String(required=True)
    alt = fields.String(required=True, metadata={"description": "What is on the image."})
    preview_url = PreviewUrl(attribute="url", metadata=PREVIEW_URL)


class ProductPageSchema(Shape):
    """A page of products in the shop's order. `nextCursor` is null on the last one."""

    products = fields.List(fields.Nested(ProductSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ProductDetailSchema(Shape):
    """A product and all its images that can be ordered."""

    product = fields.Nested(ProductSchema, required=True)
    images = fields.List(fields.Nested(ProductImageSchema), required=True)
