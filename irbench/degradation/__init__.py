"""Images made worse in a stated way: what a sensor, its electronics or a codec does to them."""
