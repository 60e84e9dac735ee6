"""`sluice probe`: a short run in the user's own account that answers what no document says. Asks, writes down, leaves nothing."""
