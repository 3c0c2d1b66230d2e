"""The paper's Tables I to VI as published, checked, and held against what irbench finds."""

from irbench.published.tables import (
    COST,
    QUALITY,
    PublishedRow,
    PublishedTable,
    published_reference,
    published_source,
    published_tables,
    stored_value,
)

__all__ = [
    "COST",
    "QUALITY",
    "PublishedRow",
    "PublishedTable",
    "published_reference",
    "published_source",
    "published_tables",
    "stored_value",
]
