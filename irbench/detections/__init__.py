"""What a detector returns: boxes, regions and maps, checked when they are made."""

from irbench.detections.image_detections import Detections, box_areas, box_centroids

__all__ = ["Detections", "box_areas", "box_centroids"]
