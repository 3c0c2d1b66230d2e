"""Images and masks: read from their files as they are stored, checked, and prepared."""

from irbench.images.reading import (
    IMAGE_SUFFIXES,
    ImageFile,
    ValueRange,
    check_image,
    read_image,
    read_image_file,
    stated_range,
    to_grey,
    to_grey_levels,
    to_unit_range,
)

__all__ = [
    "IMAGE_SUFFIXES",
    "ImageFile",
    "ValueRange",
    "check_image",
    "read_image",
    "read_image_file",
    "stated_range",
    "to_grey",
    "to_grey_levels",
    "to_unit_range",
]
