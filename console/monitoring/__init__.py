"""What goes on now: health, the stream, the tiers, and how complete what is recorded is."""
