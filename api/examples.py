"""Examples for the OpenAPI document: a product, and one job of it, seen from each route."""

from models.image_models import ASPECT_RATIOS

JOB = {
    "id": 12,
    "productId": "cup",
    "productName": "The blue cup",
    "status": "PENDING",
    "totalImages": 2,
    "completedImages": 0,
    "failedImages": 0,
    "createdAt": "2026-01-31T09:30:00.000Z",
}
ORDER = {
    "productId": "cup",
    "productName": "The blue cup",
    "images": [
        {
            "imageId": "cup-front",
            "imageUrl": "https://shop.example/images/cup-front.jpg",
            "prompt": "white background, brighter",
        },
        {
            "imageId": "cup-top",
            "imageUrl": "https://shop.example/images/cup-top.jpg",
            "prompt": "white background",
            "aspectRatio": "1:1",
            "outputFormat": "jpg",
            "quality": 85,
            "referenceImageUrls": ["https://shop.example/images/window.jpg"],
        },
    ],
}
RECEIPT = {"success": True, "job": JOB, "creditsUsed": 30, "creditsRemaining": 120}
PREVIEW = {
    "imageUrl": "https://shop.example/images/cup-front.jpg",
    "previewUrl": "/previews/cmh0dHBzOi8vc2hvcC5leGFtcGxlL2ltYWdlcy9jdXAtZnJvbnQuanBn"
    ".m4S3c2nqzXc1Yw3V0Jq8b5Hk7Tr6PZfLx9dGuEaWoIg",
}
PROGRESS = JOB | {
    "status": "DONE",
    "completedImages": 1,
    "failedImages": 1,
    "canceledImages": 0,
    "startedAt": "2026-01-31T09:30:01.250Z",
    "finishedAt": "2026-01-31T09:30:20.500Z",
}
PLACE = {"queuePosition": 3, "estimatedStartAt": "2026-01-31T09:30:02.000Z"}
PAGE = {"jobs": [JOB | {"id": 13} | PLACE, PROGRESS], "nextCursor": None}
ITEM = {
    "id": 31,
    "imageId": "cup-front",
    **PREVIEW,
    "prompt": "white background, brighter",
    "aspectRatio": "match_input_image",
    "outputFormat": "jpg",
    "model": "google/nano-banana",
    "referenceImageUrls": [],
    "creditsCharged": 15,
    "createdAt": "2026-01-31T09:30:00.000Z",
    "updatedAt": "2026-01-31T09:30:18.125Z",
}
DETAIL = {
    "job": PROGRESS,
    "items": [
        ITEM
        | {
            "status": "DONE",
            "optimizedImageUrl": "/results/0f1e2d3c4b5a69788796a5b4c3d2e1f0.jpg",
        },
        ITEM
        | {
            "id": 32,
            "imageId": "cup-top",
            "status": "FAILED",
            "error": "The image could not be read from its address. Please check that everybody"
            " can open it.",
            "errorCode": "bad_image_url",
            "retryable": False,
        },
    ],
}
CREDITS = {
    "balance": 120,
    "plan": "free",
    "monthlyAllotment": 150,
    "resetsAt": "2026-02-01T00:00:00.000Z",
    "creditsPerImage": 15,
}
PREVIEW_URL = PREVIEW["previewUrl"]
PRODUCT = {
    "id": "cup",
    "name": "The blue cup",
    "price": "24.00",
    "currency": "EUR",
    "totalImages": 2,
    "previewUrl": PREVIEW_URL,
}
PRODUCT_PAGE = {"products": [PRODUCT], "nextCursor": None}
PRODUCT_DETAIL = {
    "product": PRODUCT,
    "images": [
        {
            "id": "cup-front",
            "url": "https://shop.example/images/cup-front.jpg",
            "alt": "The blue cup from the front",
            "previewUrl": PREVIEW_URL,
        },
        {
            "id": "cup-top",
            "url": "https://shop.example/images/cup-top.jpg",
            "alt": "The blue cup from above",
            "previewUrl": PREVIEW_URL,
        },
    ],
}
READINESS = {
    "status": "failed",
    "checks": {"database": "ok", "migrations": "ok", "sweep": "late", "broker": "ok"},
    "advice": {"sweep": "Is a housekeeper running, and does its log tell of errors? Restart it."},
}
RATIOS = [*ASPECT_RATIOS]
MODELS = {
    "models": [
        {
            "model": "google/nano-banana",
            "prices": [{"credits": 15}],
            "aspectRatios": RATIOS,
            "outputFormats": ["jpg", "png"],
            "mostReferenceImages": 3,
        },
        {
            "model": "google/nano-banana-pro",
            "prices": [
                {"resolution": "1K", "credits": 60},
                {"resolution": "2K", "credits": 60},
                {"resolution": "4K", "credits": 120},
            ],
            "aspectRatios": RATIOS,
            "outputFormats": ["jpg", "png"],
            "mostReferenceImages": 3,
        },
    ]
}
PRESET_CONTENT = {
    "name": "Window display",
    "prompt": "white background, brighter",
    "options": {"aspectRatio": "1:1", "outputFormat": "jpg", "quality": 85},
}
PRESET = PRESET_CONTENT | {
    "id": 4,
    "createdAt": "2026-01-31T09:30:00.000Z",
    "updatedAt": "2026-01-31T09:30:00.000Z",
}
PRESETS = {"presets": [PRESET]}
