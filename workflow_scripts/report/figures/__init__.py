"""The report's figures, a module each: its texts, and how it is drawn."""
