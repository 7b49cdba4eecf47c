"""GET /api/products and …/products/<id>: what there is to optimize."""

from typing import Any

from api import examples, shelves
from api.catalogue.interface import Product, ProductImage
from api.etags import revalidate
from api.openapi import CACHING, IF_NONE_MATCH, Blueprint
from api.product_schemas import ProductDetailSchema, ProductPageSchema, ProductsQuery

blp = Blueprint("products", "/api/products", "Find products and their images.", private=True)


@blp.route("", parameters=[IF_NONE_MATCH])
@blp.arguments(ProductsQuery, location="query")
@blp.response(200, ProductPageSchema, example=examples.PRODUCT_PAGE, headers=CACHING)
@blp.refuses(304, 409)
def list_products(query: dict[str, Any]) -> shelves.Page:
    """List or search the shop's products."""
    page = shelves.page_of_products(**query)
    revalidate(page.versions)
    return page


@blp.route("/<product_id:product_id>", parameters=[IF_NONE_MATCH])
@blp.response(200, ProductDetailSchema, example=examples.PRODUCT_DETAIL, headers=CACHING)
@blp.refuses(304, 404, 409)
def show_product(product_id: str) -> dict[str, Product | tuple[ProductImage, ...]]:
    """Show a product and its images."""
    product = shelves.product(product_id)
    revalidate(product.facts)
    return {"product": product, "images": product.images}
