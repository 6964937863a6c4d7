"""Personal data as a whole: the field catalogue, retention, erasure and legal holds."""
