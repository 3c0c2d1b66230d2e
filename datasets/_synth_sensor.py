"""The sensor: optics, vignetting, noise, stripes and defective pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._synth_fields import blur, coordinates
from ._synth_stream import Floats, Stream


@dataclass(frozen=True)
class Sensor:
    """What differs between the sensors of two images.

    Attributes
    ----------
    psf_sigma_px : float
        Of the Gaussian point-spread function; 0.6 to 1.0.
    noise_std : float
        Temporal noise, in grey levels; 1 to 4, low values oftener.
    stripe_std : float
        Offsets of the columns, in grey levels; 0 to 1.5.
    vignetting : float
        Share of the light that the corners lack; 0 to 0.15.
    n_defects : int
        Hot or dead pixels; none in two thirds of the images, else 1 to 3 on
        128x128 pixels, 2 to 6 on 256x256.
    """

    psf_sigma_px: float
    noise_std: float
    stripe_std: float
    vignetting: float
    n_defects: int


def draw_sensor(stream: Stream, shape: tuple[int, int]) -> Sensor:
    """Draw the sensor of an image of this shape."""
    low = stream.uniform()
    return Sensor(
        psf_sigma_px=stream.uniform(0.6, 1.0),
        noise_std=1.0 + 3.0 * low * low,
        stripe_std=stream.uniform(0.0, 1.5),
        vignetting=stream.uniform(0.0, 0.15),
        n_defects=(stream.integer(1, 3) * max(shape) // 128 if stream.chance(1 / 3) else 0),
    )


def expose(sensor: Sensor, stream: Stream, radiance: Floats) -> Floats:
    """What the sensor makes of a scene, before rounding.

    Parameters
    ----------
    sensor : Sensor
    stream : Stream
        Of the noise.
    radiance : (H, W) ndarray of float64
        Grey levels.

    Returns
    -------
    (H, W) ndarray of float64
        Grey levels, 4 to 245, so that a target on top has room.
    """
    height, width = radiance.shape
    rows, columns = coordinates((height, width))
    y, x = 2.0 * rows / (height - 1) - 1.0, 2.0 * columns / (width - 1) - 1.0
    image = blur(radiance, sensor.psf_sigma_px)
    image = image * (1.0 - 0.5 * sensor.vignetting * (y * y + x * x))
    image = image + sensor.stripe_std * stream.normals(1, width)
    image = image + sensor.noise_std * stream.normals(height, width)
    for _ in range(sensor.n_defects):
        row, column = stream.integer(0, height - 1), stream.integer(0, width - 1)
        deviation = stream.uniform(10.0, 60.0) * (1.0 if stream.chance(0.5) else -1.0)
        image[row, column] += deviation
    return np.asarray(np.clip(image, 4.0, 245.0))
