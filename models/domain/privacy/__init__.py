"""Personal data as the product knows it: its fields and classes, its masks, how long it is kept. Pure data."""
