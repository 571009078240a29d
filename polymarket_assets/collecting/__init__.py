"""From the venue to the lake: discovery, windows of sweeps, resolutions, history and healing of trades."""
