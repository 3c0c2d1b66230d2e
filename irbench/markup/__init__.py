"""Any text, escaped for the languages that tables are written in, and references as BibTeX."""
