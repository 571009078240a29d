"""The venue: clients, wire records, parsers. The only readers of raw JSON in the project."""
