"""What Sluice costs: prices and limits as named inputs, usage as measured, and the arithmetic between them. Pure."""
